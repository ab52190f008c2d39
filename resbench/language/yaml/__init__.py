"""Read and write YAML with the place of every value, and collect problems."""
