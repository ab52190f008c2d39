"""Hold the words of the house: names and texts that were given up do not come back (docs/glossary.md has those that are ours)."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMES = frozenset(
    [
        "desk",
        "duty",
        "roll",
        "manner",
        "pulse",
        "ears",
        "mouth",
        "told",
        "said",
        "stands",
        "wrote",
        "onlooker",
        "narrator",
        "enrol",
        "enrolled",
        "retire",
        "foretold",
        "anew",
        "doomed",
        "harm",
        "knot",
        "heaps",
        "heard",
    ]
)
PHRASES = re.compile(r"\b(wished|anew|foretold?|foretells?|as many as pay|is of no|mended)\b")
# A first line that starts so has no verb.
FIRST_WORDS = frozenset(
    [
        "What",
        "Of",
        "Whether",
        "By",
        "As",
        "In",
        "With",
        "Where",
        "From",
        "For",
        "On",
        "At",
        "Inside",
        "Behind",
        "Every",
        "Those",
        "How",
        "Why",
    ]
)
OPEN = (
    "resbench/search/",
    "resbench/study/",
    "resbench/workers/",
    "resbench/api/study/",
)  # to be emptied; none may be added
KEYS = frozenset(("foretold",))  # keys of JSON that programs read
MARK = "written anew by `resbench dashboard`"  # stands in databases, and is looked for there


def names_in(text: str) -> Iterator[str]:
    """Yield the names of a source, cut at underscores and capitals, in lower case."""
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield from (part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", token.string))


def given_up(text: str) -> list[str]:
    return sorted(NAMES.intersection(names_in(text)))


def without_verb(text: str) -> list[str]:
    """Return the functions whose docstring begins without a verb. Properties are nouns, `A -> B` needs none."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef) or any("property" in ast.unparse(d) for d in node.decorator_list):
            continue
        first = (ast.get_docstring(node) or "").split("\n")[0]
        if " -> " not in first and first.split(" ")[0].strip(".,:;") in FIRST_WORDS:
            found.append(f"{node.name}: {first}")
    return found


def phrases_in(text: str) -> list[str]:
    text = text.replace(MARK, "")
    keys = {f'"{key}"' for key in KEYS}
    found = [m for m in PHRASES.finditer(text) if text[m.start() - 1 : m.end() + 1] not in keys]
    return sorted({match.group().lower() for match in found})


def sources() -> list[Path]:
    return [path for path in sorted((ROOT / "resbench").rglob("*.py")) if "versions" not in path.parts]


@pytest.mark.parametrize("checker", [given_up, without_verb, phrases_in], ids=lambda checker: checker.__name__)
def test_the_package_keeps_its_words(checker) -> None:  # type: ignore[no-untyped-def]
    found = {path.relative_to(ROOT).as_posix(): checker(path.read_text("utf-8")) for path in sources()}
    assert {path: words for path, words in found.items() if words} == {}


def test_the_docs_keep_their_words() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    assert {page.name: words for page in pages if (words := phrases_in(page.read_text("utf-8")))} == {}


def test_what_is_given_up_is_seen() -> None:
    assert given_up("def f(desk): return RollCall(desk)") == ["desk", "roll"]
    assert given_up("def scroll(unit): ...") == []
    assert without_verb('def f():\n    """What it is."""') == ["f: What it is."]
    assert without_verb('def f():\n    """Return what it is."""') == []
    assert without_verb('@property\ndef f():\n    """What it is."""') == []
    assert without_verb('def f():\n    """For A -> B."""') == []
    assert phrases_in("drawn anew, as foretold") == ["anew", "foretold"]
    assert phrases_in("a new draw") == []
