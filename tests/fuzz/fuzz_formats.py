"""What a command wrote, in each format -> its structure, without the texts in it: one text must give the same as another."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from typing import Any
from xml.etree import ElementTree


def terminal(text: str) -> object:
    """As many lines; nothing that a terminal obeys."""
    unprintable = {c for c in text if not c.isprintable()} - {"\n"}
    assert not unprintable, f"a terminal obeys {unprintable}"
    return len(text.split("\n"))


def graph_lines(text: str) -> object:
    """As many lines behind the title, which is as long as what a person wrote; nothing that a terminal obeys."""
    terminal(text)
    return text.count("\n", text.index("\ninner place in "))


def of_json(text: str) -> object:
    """Shapes of lists and objects, and types of values."""

    def shape(value: Any) -> object:
        if isinstance(value, dict):
            return {len(value): [shape(item) for item in value.values()]}
        return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__

    return shape(json.loads(text))


def of_csv(text: str) -> object:
    """Cells of each row; none that a spreadsheet would take for a formula."""
    rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    formulas = [cell for row in rows for cell in row if re.match(r"[=+@\t\r]|-(?![\d.])", cell)]
    assert not formulas, f"a spreadsheet runs {formulas[:2]}"
    return [len(row) for row in rows]


def markdown(text: str) -> object:
    """Edges of cells in each line; no tag of HTML."""
    assert not re.search(r"(?<!\\)<[a-zA-Z/!?]", text), "a tag of HTML"
    return [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in text.split("\n")]


LATEX = {
    "textbackslash",
    "textasciicircum",
    "textasciitilde",
    "textless",
    "textgreater",
    "textbar",
    "textasciigrave",
    "times",
    "allowbreak",
    "penalty",
}


def latex(text: str) -> object:
    """Edges of cells in each line, commands that are no signs; braces and dollars that are closed."""
    plain = re.sub(r"\\[\\{}$&#_%]", lambda found: " " if found[0] != r"\\" else r"\\", text)
    without = re.sub(r"(?m)(?<!\\)%.*$", "", plain)
    depth = 0
    for sign in without:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, "a brace that closes nothing"
    assert depth == 0, "a brace that is not closed"
    commands = Counter(word for word in re.findall(r"\\([a-zA-Z]+)", without) if word not in LATEX)
    return commands, [line.count("&") for line in without.split("\n")]


def svg(text: str) -> object:
    """Kinds of elements, and of their attributes."""
    root = ElementTree.fromstring(text)
    found = {(element.tag, name) for element in root.iter() for name in ("", *element.attrib)}
    assert not any(name.startswith("on") for _, name in found)
    return {tag for tag, _ in found} - {f"{SVG}tspan", f"{SVG}title", f"{SVG}g"}


SVG = "{http://www.w3.org/2000/svg}"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.found |= {(tag, name) for name, _ in attrs}


def html(text: str) -> object:
    """Scripts, and attributes that would run something."""
    tags = _Tags()
    tags.feed(text)
    tags.close()
    return tags.scripts, {(tag, name) for tag, name in tags.found if name.startswith("on") or name in ("src", "srcdoc")}


def dot(text: str) -> object:
    """Without what stands in quotes."""
    return re.sub(r"[-\d.]+", "0", re.sub(r'"(?:\\.|[^"\\])*"', '""', text, flags=re.DOTALL))


def mermaid(text: str) -> object:
    """Lines, without what stands in quotes and behind the sign of a comment."""
    lines = [re.sub(r'"[^"]*"', '""', line) for line in text.split("\n")]
    return [re.sub(r"^(\s*%%)(?!\{).*", r"\1", line) for line in lines]


def python(text: str) -> object:
    """The tree, without texts in it."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def yaml_file(text: str) -> object:
    import yaml

    return of_json(json.dumps(yaml.safe_load(text), default=str))


Structure = Callable[[str], object]
