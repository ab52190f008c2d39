"""Sums, products and learned factors."""
