"""An error of the YAML parser -> a message in the terms of the file's author, and its place."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

_KEY = re.compile(r"\s*(?:- )*([^\s:#\"'\[{][^:#]*): +(\S.*)$")


def in_words(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> tuple[str, yaml.Mark | None]:
    """Return the message and its mark: that of the problem, or of the construct that was not ended. `lines` are the text's."""
    problem, context = str(error.problem or ""), str(error.context or "")
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    here = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if "\\t" in problem:
        return "a tab; indent with spaces", mark
    if "quoted scalar" in context and "end of stream" in problem:
        return "this quote is never closed", began
    if problem.startswith("expected ',' or") and began is not None:
        opened, closed = ("[", "]") if "sequence" in context else ("{", "}")
        if "stream end" in problem:
            return f"this `{opened}` is not closed: the file ends where `,` or `{closed}` is needed", began
        return f"`,` or `{closed}` is needed here, or the `{opened}` before it is not closed", mark
    if problem.startswith("mapping values are not allowed"):
        return _second_colon(here, mark, lines), mark
    if problem.startswith("expected <block end>") and began is not None and mark is not None:
        if mark.column > began.column:
            deeper = f"indented by {mark.column} where the other lines of its level have {began.column}"
            return f"{deeper}: entries of one level must have the same indentation", mark
        return "an item of a list where a key is needed, or a key with too little indentation", mark
    if problem.startswith("could not find expected ':'"):
        return "a line without a `:` among keys, or a text over several lines that needs quotes", began or mark
    within = f" ({context})" if context else ""
    return f"not YAML: {problem or 'it cannot be parsed'}{within}", mark


def _second_colon(here: str, mark: yaml.Mark | None, lines: Sequence[str]) -> str:
    found = _KEY.match(here)
    if found is not None and ": " in f"{found[2]} " and not found[2].startswith(("{", "[")):
        return f'a text with `: ` in it needs quotes: `{found[1].strip()}: "..."`'
    before = next((line for line in reversed(lines[: mark.line if mark else 0]) if line.strip()), "")
    above = _KEY.match(before)
    if above is not None:
        return f"keys stand below `{above[1].strip()}`, which has a value already: it has one or the other"
    return "a key where none can be: entries of one level must have the same indentation, and a text with `: ` needs quotes"
