"""Reduce bound graphs to a normal form, and give what they are a digest."""
