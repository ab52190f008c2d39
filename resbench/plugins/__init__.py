"""Installed packages, named folders -> ops, initialisers, data sets, metrics, trackers and spec files, each with its plugin."""
