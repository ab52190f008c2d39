"""Two networks -> whether they are equal: weights are copied, outputs and gradients compared."""
