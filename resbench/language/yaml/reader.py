"""YAML text -> Node, and the problems of the text.

PyYAML parses, scalar.py reads scalars. Refused: duplicate keys, tags, merge keys, a second document, another version,
keys that are not text, control characters, and excessive depth, values or aliases. Nothing is ever executed.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import yaml

from resbench.errors import Place, Problem, Reason, SpecError
from resbench.language.expressions.expression import Expression, cut_short
from resbench.language.yaml.node import Node, join, problem
from resbench.language.yaml.parser_errors import in_words
from resbench.language.yaml.problems import Problems, by_place
from resbench.language.yaml.scalar import Scalar, scalar

MAX_DEPTH, MAX_NODES = 40, 10_000
_TORN = re.compile(r"\$(\w+|\([^{}]*)$")  # an expression up to the point where YAML interpreted its comma, [ ] or :
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # double quotes can introduce them: "\e[31m"
_TEXTS = ("doc", "cite")  # in these a `$` is literal


class Builder:
    """A builder of Nodes from events. Depth and number of nodes are limited while reading; an alias counts as what it
    refers to.

    `stopped`: reading ended early, so the result is not the whole file.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text, self.lines = name, text, text.splitlines()
        self.problems: list[Problem] = []
        self.stopped = False
        self.anchors: dict[str, tuple[Node, int, int]] = {}  # with the number of values in it and its height
        self.nodes = self.reached = 0  # how many, and how deep since the last anchor began
        self.torn = 0  # open parentheses of an expression that YAML split at its comma
        self.event: Any = None

    def document(self, path: str = "") -> Node | None:
        """Return the document; None for an empty text, and where reading stopped."""
        node = None
        try:
            self.events = yaml.parse(self.text, Loader=yaml.SafeLoader)
            self.advance()  # stream start
            start = self.advance()
            if isinstance(start, yaml.DocumentStartEvent):
                if start.version not in (None, (1, 2)):
                    self.report(start, "", f"%YAML {start.version[0]}.{start.version[1]}; a spec is YAML 1.2")
                self.advance()
                node = self.node(path, 0)
                self.advance()  # document end
                if isinstance(self.event, yaml.DocumentStartEvent):
                    self.report(self.event, "", "a second document starts here; a file holds one")
            return node
        except _Stop:
            pass
        except yaml.MarkedYAMLError as error:
            self.not_yaml(error)
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position)
            column = error.position - self.text.rfind("\n", 0, error.position)
            code = error.character if isinstance(error.character, int) else ord(error.character)
            place = Place(self.name, line + 1, column, self.text.split("\n")[line])
            self.problems.append(Problem(f"character U+{code:04X} is not allowed in YAML", "", place))
        self.stopped = True
        return None

    def not_yaml(self, error: yaml.MarkedYAMLError) -> None:
        what, mark = in_words(error, self.lines)
        place = self.place(mark) if mark else Place(self.name, 1, 1)
        rest = _TORN.search(place.text[: place.column - 1])
        if rest is not None and not self.torn:
            self.problems.append(problem(cut_short(rest[0]), "", place))
        elif rest is None or not self.torn:
            self.problems.append(problem(what, "", place))

    def place(self, mark: Any) -> Place:
        line = self.lines[mark.line] if mark.line < len(self.lines) else ""
        return Place(self.name, mark.line + 1, mark.column + 1, line)

    def advance(self) -> Any:
        self.event = next(self.events, None)
        return self.event

    def report(self, event: Any, path: str, message: str) -> None:
        self.problems.append(problem(message, path, self.place(event.start_mark)))

    def stop(self, event: Any, path: str, message: str) -> _Stop:
        self.report(event, path, message)
        return _Stop()

    def node(self, path: str, depth: int) -> Node:
        """Return the node at the current event, and advance to the event behind it."""
        event = self.event
        self.count(event, 1, depth)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, path, depth)
        if event.tag is not None and event.tag != "!":
            self.report(event, path, f"tag `{event.tag}` is not allowed: values are plain YAML")
        start, outer, self.reached = self.nodes, self.reached, depth
        if isinstance(event, yaml.MappingStartEvent):
            node = self.read_mapping(event, path, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.read_sequence(event, path, depth)
        else:
            end = self.place(event.end_mark) if event.style not in ("|", ">") else None
            node = Node(self.value(event, path), self.place(event.start_mark), path, end=end)
            self.advance()
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - start, self.reached - depth)
        self.reached = max(outer, self.reached)
        return node

    def count(self, event: Any, nodes: int, depth: int) -> None:
        self.nodes += nodes
        self.reached = max(self.reached, depth)
        if depth > MAX_DEPTH:
            raise self.stop(event, "", f"nested more than {MAX_DEPTH} deep")
        if self.nodes > MAX_NODES:
            raise self.stop(event, "", f"more than {MAX_NODES:,} values (aliases counted wherever they are used)")

    def alias(self, event: Any, path: str, depth: int) -> Node:
        if event.anchor not in self.anchors:
            raise self.stop(event, path, f"alias `*{event.anchor}` refers to no anchor above it")
        node, size, height = self.anchors[event.anchor]
        self.count(event, size, depth + height)
        self.advance()
        return node

    def read_sequence(self, event: Any, path: str, depth: int) -> Node:
        items: list[Node] = []
        self.advance()
        while not isinstance(self.event, yaml.SequenceEndEvent):
            if self.torn > 0 and isinstance(self.event, yaml.ScalarEvent):
                self.rest(str(self.event.value))
                self.advance()
                continue
            items.append(self.node(join(path, len(items)), depth + 1))
        self.torn = 0
        end = self.place(self.event.end_mark) if event.flow_style else None
        self.advance()
        return Node(tuple(items), self.place(event.start_mark), path, end=end)

    def read_mapping(self, event: Any, path: str, depth: int) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        self.advance()
        while not isinstance(self.event, yaml.MappingEndEvent):
            key_event, torn = self.event, self.torn
            key = self.key(path, depth)
            value = self.node(join(path, key or "?"), depth + 1)
            if torn > 0 and value.value is None:
                self.rest(key or "")
            elif key in entries:
                first = keys[key]
                self.report(key_event, join(path, key), f"duplicate key `{key}`; first at {first.line}:{first.column}")
            elif key is not None:
                entries[key], keys[key] = value, self.place(key_event.start_mark)
        self.torn = 0
        end = self.place(self.event.end_mark) if event.flow_style else None
        self.advance()
        return Node(entries, self.place(event.start_mark), path, keys, end)

    def rest(self, text: str) -> None:
        """Count the parentheses in the rest of a split expression, which has been reported."""
        self.torn += text.count("(") - text.count(")")

    def key(self, path: str, depth: int) -> str | None:
        """Return the key; None for a value that cannot be one, which has been reported."""
        event = self.event
        if not isinstance(event, yaml.ScalarEvent):
            self.node(path, depth + 1)
            self.report(event, path, "a key must be a word")
            return None
        if event.tag is not None:
            self.report(event, path, f"tag `{event.tag}` is not allowed: keys are plain words")
        self.advance()
        text = str(event.value)
        self.refuse_control(event, text, path)
        if text == "<<":
            self.report(event, path, "merge keys (`<<`) are not YAML 1.2; use `extends:` for a parent file")
        elif text.startswith("$"):
            self.report(event, path, f"`{text}`: an expression cannot be a key")
        else:
            return text
        return None

    def value(self, event: Any, path: str) -> Scalar | Expression:
        text = str(event.value)
        self.refuse_control(event, text, path)
        if "$" not in text or path in _TEXTS:
            return scalar(text) if event.style is None and event.tag is None else text
        try:
            return Expression.parse(text)
        except Reason as fact:
            self.report(event, path, str(fact))
            self.torn = max(0, text.count("(") - text.count(")")) if text.startswith("$(") else 0
            return Expression(text, ("value", None))  # a placeholder, so that no further problem follows from it

    def refuse_control(self, event: Any, text: str, path: str) -> None:
        found = _CONTROL.search(text)
        if found is not None:
            self.report(event, path, f"character U+{ord(found[0]):04X} is not allowed in a text")


class _Stop(Exception):  # noqa: N818
    """Raised where reading on would cost too much; the reason has been reported."""


MAX_BYTES = 500_000


def read_source(path: Path, name: str) -> str:
    """Return the text of a file. Raise SpecError when it cannot be read; `name` is the file in messages."""
    place = Place(name, 1, 1)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise SpecError([Problem(f"{kind}; a YAML file is needed", "", place)])
        if status.st_size > MAX_BYTES:
            raise SpecError([Problem(f"{status.st_size:,} bytes; a spec has at most {MAX_BYTES:,}", "", place)])
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)  # /proc says 0 bytes of files that never end
    except FileNotFoundError:
        raise SpecError([Problem("no such file", "", place)]) from None
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: NUL in the path; RuntimeError: a loop of links
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError([Problem(f"cannot be read: {reason}", "", place)]) from None
    if len(raw) > MAX_BYTES:
        raise SpecError([Problem(f"more than {MAX_BYTES:,} bytes", "", place)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError([_not_utf8(raw, error.start, name)]) from None


def _not_utf8(raw: bytes, start: int, name: str) -> Problem:
    begin = raw.rfind(b"\n", 0, start) + 1
    end = raw.find(b"\n", start)
    line = raw[begin : end if end >= 0 else len(raw)].decode("utf-8", "replace")
    column = len(raw[begin:start].decode("utf-8-sig")) + 1
    place = Place(name, raw[:start].count(b"\n") + 1, column, line)
    return Problem(f"byte 0x{raw[start]:02x} is not UTF-8; save the file as UTF-8", "", place)


def read(path: Path, shown: str | None = None, check: Problems | None = None) -> Node:
    """Return the file's top mapping. Raise SpecError with every problem found; nothing in the file is ever executed.

    With `check`, problems that leave data to read are reported there, so that later checks can add theirs.
    """
    name = shown or str(path)
    return read_text(read_source(path, name), name, check)


def read_text(text: str, name: str, check: Problems | None = None) -> Node:
    builder = Builder(name, text)
    node = builder.document()
    if node is not None and node.value in (None, ""):
        node = None
    if not builder.problems and node is None:
        message = "the file is empty; its first key says what it is, as in `unit: my_unit`"
        builder.problems.append(Problem(message, "", Place(name, 1, 1)))
    elif not builder.stopped and node is not None and not node.mapping:
        builder.problems.append(
            node.problem(f"a mapping is needed at the top, as in `unit: my_unit`, got {node.shown()}")
        )
    if node is None or not node.mapping or (builder.problems and (check is None or builder.stopped)):
        raise SpecError(sorted(builder.problems, key=by_place))
    if check is not None:
        check.problems += builder.problems
    return node


def read_value(text: str, name: str, path: str = "") -> Node:
    """Return one value of any kind, as on the command line; empty text is null. Raise SpecError for a problem."""
    builder = Builder(name, text)
    node = builder.document(path)
    if builder.problems:
        raise SpecError(builder.problems)
    return node or Node(None, Place(name, 1, 1, text), path)
