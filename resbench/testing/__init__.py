"""For authors of plugins: `check_op("my_op")` tests the contract of every op in one call."""

from resbench.testing.contract import Report, check_op

__all__ = ["Report", "check_op"]
