"""A YAML 1.2 file -> Node, with every problem of the text at once.

PyYAML parses; scalars follow YAML 1.2's core schema (`1e-3` is a float, `no` is text, `010` is ten). Refused: duplicate
keys, tags, merge keys, a second document, keys that are no text, and what only costs (size, depth, aliases).
"""

from __future__ import annotations

import math
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from resbench.errors import Fact, Place, Problem, SpecError
from resbench.spec.expression import Expression
from resbench.spec.node import Node, Scalar, join

MAX_BYTES, MAX_DEPTH, MAX_NODES = 1_000_000, 40, 20_000
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan,
}  # fmt: skip


def read(path: Path, shown: str | None = None) -> Node:
    """The file's top mapping. Raises SpecError with every problem found; nothing in the file is ever executed."""
    name = shown or str(path)
    return read_text(_text(path, name), name)


def read_text(text: str, name: str) -> Node:
    builder = _Builder(name, text)
    node = builder.document()
    if not builder.problems and node is None:
        message = "the file is empty; its first key says what it is, as in `unit: my_unit`"
        builder.problems.append(Problem(message, "", Place(name, 1, 1)))
    elif not builder.problems and node is not None and not isinstance(node.value, dict):
        message = f"a mapping is needed at the top, as in `unit: my_unit`, got {node.shown()}"
        builder.problems.append(node.problem(message))
    if builder.problems or node is None:
        raise SpecError(builder.problems)
    return node


def scalar(text: str) -> Scalar:
    """A plain scalar by YAML 1.2's core schema.

    >>> [scalar(text) for text in ("1e-3", "no", "010", "1_000", "1:30", "~", "0x1F", "-.5")]
    [0.001, 'no', 10, '1_000', '1:30', None, 31, -0.5]
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) <= 40:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _text(path: Path, name: str) -> str:
    place = Place(name, 1, 1)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise SpecError([Problem(f"{kind}; a YAML file is needed", "", place)])
        if status.st_size > MAX_BYTES:
            raise SpecError([Problem(f"{status.st_size:,} bytes; a spec has at most {MAX_BYTES:,}", "", place)])
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise SpecError([Problem("no such file", "", place)]) from None
    except OSError as error:
        raise SpecError([Problem(f"cannot be read: {error.strerror}", "", place)]) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        found = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise SpecError([Problem(found, "", Place(name, line, column))]) from None
    return text


class _Builder:
    """Events -> Nodes. Depth, nodes (aliases counted as often as they are used) and aliases are capped as they come."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text, self.lines = name, text, text.splitlines()
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.event: Any = None

    def place(self, mark: Any) -> Place:
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        return Place(self.name, mark.line + 1, mark.column + 1, line)

    def document(self) -> Node | None:
        node = None
        try:
            self.events = yaml.parse(self.text, Loader=yaml.SafeLoader)
            self.advance()  # stream start
            if isinstance(self.advance(), yaml.DocumentStartEvent):
                self.advance()
                node = self.node("", 0)
                self.advance()  # document end
                if isinstance(self.event, yaml.DocumentStartEvent):
                    self.report(self.event, "", "a second document starts here; a file holds one")
        except _Stop:
            return None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = f" ({error.context})" if error.context else ""
            place = self.place(mark) if mark else Place(self.name, 1, 1)
            self.problems.append(Problem(f"not YAML: {_readable(error.problem)}{context}", "", place))
        except yaml.reader.ReaderError as error:
            before = self.text[: error.position]
            mark_line = before.count("\n")
            place = Place(self.name, mark_line + 1, error.position - before.rfind("\n"), "")
            code = error.character if isinstance(error.character, int) else ord(error.character)
            self.problems.append(Problem(f"character U+{code:04X} is not allowed in YAML", "", place))
        if isinstance(node, Node) and isinstance(node.value, str | None) and node.value in (None, ""):
            return None
        return node

    def advance(self) -> Any:
        self.event = next(self.events, None)
        return self.event

    def report(self, event: Any, path: str, message: str) -> None:
        self.problems.append(Problem(message, path, self.place(event.start_mark)))

    def stop(self, event: Any, path: str, message: str) -> _Stop:
        self.report(event, path, message)
        return _Stop()

    def node(self, path: str, depth: int) -> Node:
        """The node at the current event; afterwards the event behind it is current."""
        event = self.event
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise self.stop(event, "", f"nested more than {MAX_DEPTH} deep")
        if self.nodes > MAX_NODES:
            raise self.stop(event, "", f"more than {MAX_NODES:,} values (aliases counted wherever they are used)")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path)
        if event.tag is not None and event.tag != "!":
            self.report(event, path, f"tag `{event.tag}` is not allowed: values are plain YAML")
        start = self.nodes
        if isinstance(event, yaml.MappingStartEvent):
            node = self.read_mapping(event, path, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.read_sequence(event, path, depth)
        else:
            node = Node(self.value(event, path), self.place(event.start_mark), path)
            self.advance()
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - start + 1)
        return node

    def alias(self, event: Any, path: str) -> Node:
        if event.anchor not in self.anchors:
            raise self.stop(event, path, f"alias `*{event.anchor}` stands for nothing above it")
        node, size = self.anchors[event.anchor]
        self.nodes += size
        self.advance()
        return node

    def read_sequence(self, event: Any, path: str, depth: int) -> Node:
        items: list[Node] = []
        self.advance()
        while not isinstance(self.event, yaml.SequenceEndEvent):
            items.append(self.node(join(path, len(items)), depth + 1))
        self.advance()
        return Node(tuple(items), self.place(event.start_mark), path)

    def read_mapping(self, event: Any, path: str, depth: int) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        cut = False  # an expression was torn apart at its comma: what follows is its rest, not keys
        self.advance()
        while not isinstance(self.event, yaml.MappingEndEvent):
            key_event = self.event
            key = self.key(path, depth)
            before = len(self.problems)
            value = self.node(join(path, key), depth + 1)
            if cut and value.value is None and ")" in key:
                del self.problems[before:]
                continue
            cut = cut or (len(self.problems) > before and "cut short" in self.problems[-1].message)
            if key in entries:
                first = keys[key]
                self.report(key_event, join(path, key), f"duplicate key `{key}`; first at {first.line}:{first.column}")
            elif key == "<<":
                self.report(key_event, path, "merge keys (`<<`) are not YAML 1.2; use `extends:` for a parent file")
            elif key.startswith("$") and not cut:
                self.report(key_event, path, f"`{key}`: an expression cannot be a key")
            entries.setdefault(key, value)
            keys.setdefault(key, self.place(key_event.start_mark))
        self.advance()
        return Node(entries, self.place(event.start_mark), path, keys)

    def key(self, path: str, depth: int) -> str:
        event = self.event
        if not isinstance(event, yaml.ScalarEvent):
            self.node(path, depth + 1)
            self.report(event, path, "a key must be a word")
            return f"<key at {event.start_mark.line + 1}>"
        self.advance()
        return str(event.value)

    def value(self, event: Any, path: str) -> Scalar | Expression:
        text = str(event.value)
        if "$" in text and path.rpartition(".")[2] not in ("doc", "cite"):
            try:
                return Expression.parse(text)
            except Fact as fact:
                self.report(event, path, str(fact))
                return None
        return scalar(text) if event.style is None and event.tag is None else text


class _Stop(Exception):  # noqa: N818
    """Reading on would cost too much; the reason has been reported."""


def _readable(problem: str | None) -> str:
    if problem and "\\t" in problem:
        return "a tab; indent with spaces"
    return problem or "it cannot be parsed"
