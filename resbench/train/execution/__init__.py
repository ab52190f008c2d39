"""How a training is executed: plan, layout, precision, device and ranks."""
