"""Bind a spec: every name and argument gets a value, every value a shape."""
