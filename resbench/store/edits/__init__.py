"""Change results: delete, rename and annotate."""
