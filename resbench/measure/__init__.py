"""Network -> numbers that cost no training; the unit stands in the name."""
