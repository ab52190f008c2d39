"""Locate, open and retry connections to SQLite and Postgres."""
