"""SQL text -> the same text without comments and extra space, or its syntax alone.  Quoting and comments as SQLite reads them."""

from __future__ import annotations

import re

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]"""
_SPACE = r"""(?:--[^\n]*|/\*.*?(?:\*/|\Z)|\s)+"""  # a comment separates words as a space does
_PART = re.compile(f"(?P<quoted>{_QUOTED})|{_SPACE}", re.DOTALL)


def plain_sql(sql: str) -> str:
    """Return the statement with one space for each comment and run of white space; quoted texts and names stay unchanged."""
    return _PART.sub(lambda part: part["quoted"] or " ", sql).strip()


def sql_syntax(sql: str) -> str:
    """Return the statement in lower case with `x` for each quoted text and name: patterns match syntax, never a text in
    quotes.
    """
    return " ".join(_PART.sub(lambda part: " x " if part["quoted"] else " ", sql).lower().split())
