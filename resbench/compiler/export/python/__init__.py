"""BoundNetwork -> one readable Python file that needs torch alone."""
