"""One proxy per file; importing a file registers its proxy."""
