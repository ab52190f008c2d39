"""yaml-language-server over stdio, as an editor uses it: a text with `¦` at the cursor -> completions, hover, diagnostics."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

CURSOR = "¦"
_SETTINGS = {
    "yaml": {
        "schemaStore": {"enable": False},
        "yamlVersion": "1.2",
        "validate": True,
        "hover": True,
        "completion": True,
    }
}
_CAN = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown", "plaintext"]}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
    },
    "workspace": {"configuration": True},
}  # fmt: skip
_HANGS_S = 300


@dataclass(frozen=True, slots=True)
class Item:
    """A completion, and the text once it is accepted and no placeholder is filled in."""

    label: str
    documentation: str
    inserted: str
    text: str


class LanguageServer:
    """One server process; each text is opened as a document of its own."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._folder = process, folder
        self._sent, self._opened = 0, 0
        self._diagnostics: dict[str, list[str]] = {}

    def initialize(self) -> None:
        self._request("initialize", {"processId": None, "rootUri": self._folder.as_uri(), "capabilities": _CAN})
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": _SETTINGS})

    def complete(self, marked: str, schema: Path) -> list[Item]:
        """The completions at the cursor of a text."""
        uri, text, position = self._open(marked, schema)
        answer = self._request("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return [_item(item, text, position) for item in items]

    def hover(self, marked: str, schema: Path) -> str:
        """The Markdown that is shown at the cursor of a text."""
        uri, _, position = self._open(marked, schema)
        answer = self._request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
        return str(answer["contents"]["value"]) if answer else ""

    def diagnose(self, text: str, schema: Path) -> list[str]:
        """What the server finds wrong in a text."""
        uri, _, _ = self._open(text, schema)
        with self._guarded():
            while uri not in self._diagnostics:
                self._handle(self._read())
        return self._diagnostics[uri]

    def _open(self, marked: str, schema: Path) -> tuple[str, str, dict[str, int]]:
        self._opened += 1
        uri = (self._folder / f"{self._opened}.yaml").as_uri()
        text = f"# yaml-language-server: $schema={schema.as_uri()}\n{marked}"
        before, _, after = text.partition(CURSOR)
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": before + after}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return uri, before + after, {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}

    def _request(self, method: str, params: Any) -> Any:
        self._sent += 1
        number = self._sent
        self._write({"id": number, "method": method, "params": params})
        with self._guarded():
            while (message := self._read()).get("id") != number or "method" in message:
                self._handle(message)
        assert "error" not in message, message["error"]
        return message["result"]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """End a server that gives no answer, so that a test fails instead of waiting."""
        guard = Timer(_HANGS_S, self._process.kill)
        guard.start()
        try:
            yield
        finally:
            guard.cancel()

    def _notify(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def _write(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        source = self._process.stdout
        assert source is not None
        length = 0
        while line := source.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(source.read(length))
        return message

    def _handle(self, message: Mapping[str, Any]) -> None:
        """Answer what the server asks, keep the diagnostics that it sends."""
        if message.get("method") == "textDocument/publishDiagnostics":
            params = message["params"]
            self._diagnostics[params["uri"]] = [found["message"] for found in params["diagnostics"]]
        elif "id" in message and "method" in message:
            asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else None
            result = None if asked is None else [_SETTINGS.get(item.get("section"), {}) for item in asked]
            self._write({"id": message["id"], "result": result})


@contextmanager
def language_server(packages: Path) -> Iterator[LanguageServer]:
    """A server of the packages in a folder that `npm install` filled."""
    script = packages / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    command = ["node", str(script), "--stdio"]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:  # fmt: skip
        try:
            server = LanguageServer(process, Path(folder))
            server.initialize()
            yield server
        finally:
            process.kill()


def _item(item: Mapping[str, Any], text: str, position: Mapping[str, int]) -> Item:
    documentation = item.get("documentation") or ""
    edit = item.get("textEdit")
    inserted = expand_snippet(str(edit["newText"] if edit else item["insertText"]))
    span = edit["range"] if edit else {"start": position, "end": position}
    start, end = _offset(text, span["start"]), _offset(text, span["end"])
    lines = inserted.replace("\n", "\n" + " " * _indent(text, start))
    words = documentation["value"] if isinstance(documentation, dict) else documentation
    whole = text[:start] + lines + text[end:]
    return Item(item["label"], str(words), inserted, whole.partition("\n")[2])


def _offset(text: str, position: Mapping[str, int]) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: position["line"]]) + position["character"]


def _indent(text: str, offset: int) -> int:
    """Blanks at the start of the line: an editor puts them before each further line that it inserts."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return len(line) - len(line.lstrip(" "))


def expand_snippet(snippet: str) -> str:
    """The text that a snippet inserts: defaults of placeholders, the first of some choices, names of unknown variables."""
    choice = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", snippet)
    before = None
    while before != choice:  # a placeholder may hold another
        before, choice = choice, re.sub(r"(?<!\\)\$\{\d+:((?:[^{}\\$]|\\.)*)\}", r"\1", choice)
        choice = re.sub(r"(?<!\\)\$\{?\d+\}?", "", choice)
        choice = re.sub(r"(?<!\\)\$([A-Za-z_]\w*)", r"\1", choice)
    return re.sub(r"\\([$}\\])", r"\1", choice)
