"""The Python door: units, networks, studies and results for a program; `resbench.cli` parses, calls these, and prints."""
