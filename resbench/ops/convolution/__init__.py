"""Convolutions and linear maps."""
