"""A plugin of resbench."""
