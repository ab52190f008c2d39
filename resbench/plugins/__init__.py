"""Installed packages and named folders -> ops, initialisers, data sets, metrics and spec files, each with whose it is."""
