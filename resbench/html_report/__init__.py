"""A study in a database -> one self-contained HTML file: the question, the evidence, every run, how to repeat it."""
