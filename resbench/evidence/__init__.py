"""Evidence: turn the runs of a study in a database into claims that its statistics support (no torch)."""
