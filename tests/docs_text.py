"""A page in Markdown -> the YAML files and the commands that are written in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from resbench.cli.main import app

REPOSITORY = Path(__file__).parent.parent
KINDS = ("unit", "block", "network", "recipe", "study")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"(?<![\w/.])resbench((?: +[^\s`|&;<>#\\]+)+)")


@dataclass(frozen=True)
class Block:
    """A file written in a page; `kind` and `name` are of its first line."""

    page: str
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}-{self.kind}-{self.name}"

    def put(self, folder: Path) -> Path:
        """Save it where its name is found from a study in `folder`."""
        path = folder / f"{self.kind}s" / f"{self.name}.yaml" if self.kind == "block" else folder / f"{self.name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.text, "utf-8")
        return path


def page(name: str) -> str:
    return (REPOSITORY / name).read_text("utf-8")


def yaml_texts(name: str) -> list[str]:
    """What stands between ```yaml and ```."""
    return [text for language, text in _FENCE.findall(page(name)) if language == "yaml"]


def blocks(name: str) -> list[Block]:
    """The YAML files of a page; other YAML is part of a file."""
    found = []
    for text in yaml_texts(name):
        kind, _, rest = text.partition("\n")[0].partition(":")
        if kind in KINDS:
            found.append(Block(Path(name).stem, kind, rest.split("#")[0].strip(), text))
    return found


def commands(name: str) -> Iterator[list[str]]:
    """The words behind each `resbench` in code, in fences and between backticks."""
    text = page(name)
    code = [body for language, body in _FENCE.findall(text) if language in ("sh", "")]
    code += re.findall(r"`(resbench [^`\n]+)`", _FENCE.sub("", text))
    for piece in code:
        for line in piece.splitlines():
            for found in _COMMAND.finditer(line.split("  #")[0]):
                yield found[1].split()


@cache
def _all_commands() -> Any:
    return typer.main.get_command(app)


def problem(words: list[str]) -> str | None:
    """What is wrong with a command's words and options."""
    command, rest = _all_commands(), list(words)
    while commands := getattr(command, "commands", None):
        if not rest or rest[0].startswith("-"):
            break
        if rest[0] not in commands:
            return f"no command `{rest[0]}`"
        command = commands[rest.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    unknown = [word for word in rest if word.startswith("-") and word.partition("=")[0] not in known and word != "-"]
    return f"no option {unknown[0]}" if unknown else None
