"""Write a study as a frozen benchmark file."""
