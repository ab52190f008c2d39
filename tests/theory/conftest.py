"""Modules of samples beside the tests."""
