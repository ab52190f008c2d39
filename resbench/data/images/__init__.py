"""An image file -> pixels by stated rules, and notes on its contents."""
