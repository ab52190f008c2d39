"""Specs of studies: entries, search, budget and design."""
