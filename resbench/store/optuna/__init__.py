"""Read and write Optuna's tables in the same database."""
