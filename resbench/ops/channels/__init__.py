"""Ops that join, cut and reorder channels."""
