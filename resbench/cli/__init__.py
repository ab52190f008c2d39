"""The command line: each file parses, calls one function, prints. Data on stdout, everything else on stderr."""
