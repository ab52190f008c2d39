"""Plugins as files, and the command line in a process of its own: what a plugin registers stays in its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from command_line import Said, one_core

from resbench.plugins.active import Active

Use = Callable[..., Active]

OP = '''\
"""Twice the input.  BCHW -> BCHW"""

from torch import Tensor, nn

from resbench.ops.registry import op


@op("NAME", pure=True)
class Twice(nn.Module):
    def __init__(self, *, by: float = 2.0) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        return BODY
'''
UNIT = "unit: {}\nnodes: {{f: {{from: x, ops: [conv3x3: {{stride: $stride}}{}]}}, y: {{from: f, ops: [bn, relu]}}}}\n"
SCRIPT = f"""
import json, sys
from dataclasses import astuple
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from command_line import say
print(json.dumps([astuple(say(words, Path.cwd())) for words in json.loads(sys.argv[1])]))
"""
BROKEN = {
    "syntax": OP.replace("NAME", "odd").replace("return BODY", "return (x *"),
    "annotation": OP.replace("NAME", "odd").replace("by: float", "by: list[float]").replace("BODY", "x"),
    "import": OP.replace("NAME", "odd").replace("BODY", "x").replace("from torch", "import not_there\nfrom torch"),
    "taken": OP.replace("NAME", "relu").replace("BODY", "x"),
    "illegal": OP.replace("NAME", "conv5x5").replace("BODY", "x"),
}


def op(name: str, body: str = "x * self.by") -> str:
    return OP.replace("NAME", name).replace("BODY", body)


def unit(name: str, *ops: str) -> str:
    return UNIT.format(name, "".join(f", {each}" for each in ops))


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def package(folder: Path, files: Mapping[str, str], **entries: Mapping[str, str]) -> Path:
    """A package as `plugins new` lays it out, named after its folder; `entries` by group."""
    points = "".join(
        f'[project.entry-points."resbench.{group}"]\n' + "".join(f'{key} = "{value}"\n' for key, value in names.items())
        for group, names in entries.items()
    )
    project = f'[project]\nname = "{folder.name}"\nversion = "1.5"\n{points}'
    inside = {f"src/{folder.name}/{name}": text for name, text in files.items()}
    return put(folder, {"pyproject.toml": project, f"src/{folder.name}/__init__.py": "", **inside})


def resbench(folder: Path, *commands: Sequence[object], path: Path | None = None) -> list[Said]:
    """`resbench WORDS` in a folder for each command, all in one process, since each would import torch anew.

    `path` goes before every installed package.
    """
    environment = {key: value for key, value in os.environ.items() if key not in ("RESBENCH_DB", "PYTHONPATH")}
    checkout = Path(__file__).parent.parent  # the same resbench as in this process, whatever is installed
    environment["PYTHONPATH"] = os.pathsep.join(str(each) for each in (path, checkout) if each is not None)
    words = json.dumps([[str(word) for word in command] for command in commands])
    with one_core():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, words], cwd=folder, env=environment, text=True, capture_output=True,
            timeout=900, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Said(*said) for said in json.loads(done.stdout)]
