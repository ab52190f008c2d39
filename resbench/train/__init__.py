"""Network, recipe, data and seed -> Outcome."""
