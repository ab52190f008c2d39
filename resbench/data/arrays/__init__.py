"""A numpy file -> images, labels and splits."""
