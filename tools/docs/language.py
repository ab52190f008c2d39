"""docs/language.md -> the same page with its generated sections renewed: `python -m tools.docs.language docs/language.md`.

A section is between `<!-- generated: NAME -->` and `<!-- end -->`; text between other marks is unchanged.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from resbench.files import write
from resbench.language.library.library import Library
from resbench.ops.schema import table
from tools.docs.language_library import blocks, networks, recipes, units
from tools.docs.language_limits import limits
from tools.docs.language_ops import ops
from tools.docs.language_study import study_keys
from tools.docs.language_values import functions, recipe_keys, values

SECTIONS: Mapping[str, Callable[[Library], str]] = {
    "values": lambda _: values(),
    "functions": lambda _: functions(),
    "recipe": lambda _: recipe_keys(),
    "study": study_keys,
    "limits": lambda _: limits(),
    "ops": lambda library: ops(library.ops),
    "blocks": blocks,
    "units": units,
    "networks": networks,
    "recipes": recipes,
}
_SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refresh(text: str, library: Library) -> str:
    """Return the page with its generated sections renewed. Raise KeyError for an unknown section."""
    return _SECTION.sub(lambda found: f"{found[1]}{SECTIONS[found[2]](library).rstrip()}\n{found[3]}", text)


def main(paths: list[str]) -> None:
    library = Library(table())
    for path in map(Path, paths):
        write(path, refresh(path.read_text("utf-8"), library).encode(), force=True)


if __name__ == "__main__":
    main(sys.argv[1:])
