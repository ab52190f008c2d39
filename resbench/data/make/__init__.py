"""Makers of the shipped files: `python -m resbench.data.make.NAME SOURCE`; same source, same bytes."""
