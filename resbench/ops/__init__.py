"""Define the ops, one in each file. `registry` imports the folder on first use; `schema` reads it without torch."""
