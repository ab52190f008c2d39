"""Network -> numbers that need no training; their names contain the unit."""
