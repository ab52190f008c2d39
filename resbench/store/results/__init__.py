"""Rows of studies, runs and epochs, and back."""
