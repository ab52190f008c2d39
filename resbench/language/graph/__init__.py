"""Specs of graphs: units, blocks and networks."""
