"""Files of checkpoints and weights beside a database."""
