"""Specs of recipes: how a network is trained."""
