"""Check, back up and upgrade a database."""
