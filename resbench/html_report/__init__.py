"""A study in the database -> one HTML file that needs nothing else: the question, the evidence, every run, how to repeat it."""
