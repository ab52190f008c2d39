"""Run SQL of the user's in a process that can only read."""
