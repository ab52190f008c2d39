"""Ops that draw at random in training."""
