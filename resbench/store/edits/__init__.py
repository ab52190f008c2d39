"""What people change in results: delete, rename and annotate."""
