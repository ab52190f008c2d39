"""Cells as a queue: leases, workers and the coordinator's role."""
