"""Merge databases."""
