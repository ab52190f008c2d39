"""One data set per file; importing a file registers its data set, and imports no torch."""
