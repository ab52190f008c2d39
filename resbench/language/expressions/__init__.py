"""Parse and evaluate the expressions of params."""
