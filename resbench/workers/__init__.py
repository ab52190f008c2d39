"""Train cells: take one, train it, report, and survive a kill."""
