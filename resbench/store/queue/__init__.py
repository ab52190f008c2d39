"""The queue of cells: leases, workers and the coordinator's role."""
