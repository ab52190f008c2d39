"""Keep the weights of a study's runs, and give them back."""
