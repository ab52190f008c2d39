"""Read and write the rows of studies, runs and epochs."""
