"""Studies for a program: checked, run, and helped by a worker."""
