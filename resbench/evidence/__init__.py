"""Evidence: what a database says of a study, put as claims that its statistics support (no torch)."""
