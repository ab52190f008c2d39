"""Two networks -> whether they are one: weights copied over, outputs and gradients compared."""
