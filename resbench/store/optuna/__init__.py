"""Optuna's own tables in the same database."""
