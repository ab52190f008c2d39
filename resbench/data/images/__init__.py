"""An image file -> pixels by stated rules, and what was found in it."""
