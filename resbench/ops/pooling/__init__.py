"""Poolings and other changes of the size of a map."""
