"""`python -m resbench` -> the command line."""

from resbench.cli.main import run

run()
