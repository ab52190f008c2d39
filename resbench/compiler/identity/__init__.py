"""Reduce bound graphs to a normal form, and compute their digest."""
