"""Programs that make the shipped files: `python -m resbench.data.make.NAME SOURCE`; the same source gives the same bytes."""
