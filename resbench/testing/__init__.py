"""For authors of plugins: `check_op("my_op")`, the contract that every op keeps, in one call of a test."""

from resbench.testing.contract import Report, check_op

__all__ = ["Report", "check_op"]
