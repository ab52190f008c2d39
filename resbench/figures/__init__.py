"""Found -> pictures of a study for a page of 7 inches: the only folder beside png.py that draws with matplotlib."""
