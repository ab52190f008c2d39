"""One data set per file; importing the folder registers them all, and imports no torch."""
