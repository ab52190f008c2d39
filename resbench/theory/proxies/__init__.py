"""One proxy a file; importing the folder registers all."""
