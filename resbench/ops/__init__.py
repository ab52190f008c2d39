"""Kinds of node: one op a file. `registry` imports the folder when first asked; `schema` reads it without torch."""
