"""Units and networks for a program."""
