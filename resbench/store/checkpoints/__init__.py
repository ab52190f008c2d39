"""Read and write the files of checkpoints and weights beside a database."""
