"""Migrations: a database of any known schema -> the schema of this version (`upgrade.py`), revision by revision."""
