"""Read the results of a database as plain rows, and write them as tables."""
