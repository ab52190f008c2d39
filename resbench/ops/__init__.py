"""Kinds of node: one op a file. Importing this folder registers every op; `ops.schema` knows them without torch."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    if _module.name != "schema":
        import_module(f"{__name__}.{_module.name}")
