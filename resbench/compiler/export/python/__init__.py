"""Export a BoundNetwork as one readable Python file that needs only torch."""
