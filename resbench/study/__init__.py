"""Study -> points, trials, cells, runs.  The only room that knows Optuna."""
