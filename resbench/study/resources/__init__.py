"""What the machine offers, and whether a study fits."""
