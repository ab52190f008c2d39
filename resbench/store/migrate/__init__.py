"""Migrate a database of any known schema to the schema of this version (`upgrade.py`), revision by revision."""
