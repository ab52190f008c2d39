"""Results of a database for a program."""
