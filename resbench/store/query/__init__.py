"""Run a person's SQL in a process that can only read."""
