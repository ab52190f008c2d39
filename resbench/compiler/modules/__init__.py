"""Build PyTorch modules from bound graphs, and give them weights."""
