"""A seed -> a text that some format or terminal would obey; the files and the database that say it wherever a text may stand."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

FORGED = "FORGED: ok"
PIECES = (
    f"\n{FORGED}\n", f"\r{FORGED}", f"\r\n{FORGED}", f"\u2028{FORGED}", f"\x85{FORGED}", f"\x0b{FORGED}", "\x1b[31m",
    "\x1b]0;t\x07", "\x9b31m", "\x08\x08", "\0", "\x7f", "\t", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\ufffe",
    "\U000e0001", "\U0010ffff", "\u0301", "é", "漢字", "😀", "👩\u200d🔬", "עברית", "</text></svg>",
    "<script>alert(1)</script>", "<!--", "-->", "]]>", "<![CDATA[", "&amp;", "&#0;", "<img src=x onerror=a>", "</title>",
    "</style>", "\"'><b>", "javascript:x", "{{ x }}", "{% x %}", "${x}", "[red]", "[/]", "[link=x]y[/link]", ":smile:",
    "`", "```", "|", "\\|", "**", "_a_", "# ", "- ", "1. ", "> ", "[a](b)", "![a](b)", "http://x.y", "www.x.y", "~~",
    "$x$", "$$", "\\", "\\\\", "\\input{x}", "\\end{tabular}", "\\write18{x}", "%", "&", "#", "_", "^", "~", "{", "}",
    "--", "=1+1", "+1", "-1", "@x", "=cmd|'/c x'!A1", ",", ";", '"', '""', '"""', "'''", "'", 'r"""', '\\"""',
    "\\N{DASH}", "\\x41", "\\u0041", "#\n", '"];\nx -> y', "%%{init: {}}%%", "end", "click x y", "subgraph", "-->|x|",
    "\"]", "style x fill:red", "<br/>", "null", "true", "NaN", "1e5", "0x1", "? ", ": ", "!!x", "&a", "*a", "...", "---",
    " ", "  ", "",
)  # fmt: skip
SIGNS = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2000, 0x2070)]))

TEXTS = (  # of a database: whatever is no digest, status or time
    ("rb_trial", "unit"), ("rb_trial", "network"), ("rb_recipe", "name"), ("rb_architecture", "unit"),
    ("rb_architecture", "network"), ("rb_data", "name"), ("rb_environment", "package_version"),
    ("rb_environment", "git_commit"), ("rb_environment", "python"),
    ("rb_environment", "torch"), ("rb_environment", "device"), ("rb_environment", "platform"), ("rb_run", "error"),
    ("rb_worker", "name"), ("rb_worker", "host"), ("rb_worker", "device"), ("rb_cell", "claimed_by"), ("rb_cell", "error"),
    ("rb_attempt", "worker"), ("rb_attempt", "error"), ("rb_lease", "holder"), ("rb_reveal", "revealed_by"),
    ("rb_note", "note"), ("rb_note", "noted_by"), ("rb_change", "changed_by"),
)  # fmt: skip
UNIT = """\
unit: mine
doc: {0}
cite: {0}
params:
  k: {{default: 0.1, choices: [0.1, 0.2]}}  # {1}
nodes:
  y: {{from: x, ops: [{{conv3x3: {{stride: $stride}}}}, bn, relu, {{dropout: {{rate: $k}}}}, conv3x3, bn]}}
"""
STUDY = """\
study: mine
doc: {0}
network: {{use: resnet_cifar, depth: 8, width: 2}}
units: [mine.yaml, plain]
data: digits
recipe: {{use: he2016_small, epochs: 1}}
seeds: 2
"""


def odd_text(rng: random.Random) -> str:
    """No half of a pair of surrogates: a database and a file of YAML can hold none."""
    parts = rng.choices(PIECES, k=rng.choice([1, 1, 2, 3, 6]))
    if rng.random() < 0.3:
        parts.append("".join(rng.choices(SIGNS, k=rng.randrange(1, 20))))
    if rng.random() < 0.03:
        parts.append(rng.choice(["a", "漢", "a b ", "\\", '"']) * rng.choice([300, 5000]))
    rng.shuffle(parts)
    text = rng.choice(["", "", "a", "word "]) + "".join(parts)
    return text if text.strip() else f"{text}."  # of one without a word some formats show nothing


def say_in_database(path: Path, text: str) -> None:
    """The text in every place of the study `small` that is for people, and behind the names of its units."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, column in TEXTS:
            more = f" || {column}" if (table, column) == ("rb_worker", "name") else ""
            connection.execute(f"UPDATE {table} SET {column} = ?{more}", (text,))
        connection.execute("UPDATE rb_trial SET name = ? || ' ' || id", (text,))
        ((spec,),) = connection.execute("SELECT spec FROM rb_study").fetchall()
        wrote = {
            f"{text} 1": {"unit": "mine", "doc": text, "cite": text, "nodes": {"y": {"from": "x", "ops": [text, "bn"]}}}
        }
        connection.execute(
            "UPDATE rb_study SET spec = ?", (json.dumps(json.loads(spec) | {"doc": text, "wrote": wrote}),)
        )
        connection.execute("UPDATE rb_data SET settings = ?", (json.dumps({"noise": text}),))
        connection.execute("UPDATE rb_environment SET plugins = ?", (json.dumps({"a": text}),))
        connection.execute("UPDATE rb_trial SET params = ?", (json.dumps({"k": text}),))


def say_in_files(folder: Path, text: str) -> None:
    """A unit and a study with it as their doc and citation; a comment holds one line of it."""
    quoted = yaml_quoted(text)
    comment = "".join(c for c in text if c.isprintable()).strip() or "x"
    (folder / "mine.yaml").write_text(UNIT.format(quoted, comment), "utf-8")
    (folder / "study.yaml").write_text(STUDY.format(quoted), "utf-8")


def yaml_quoted(text: str) -> str:
    """The text in double quotes of YAML, which have an escape for everything."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text) + '"'


def names(text: str, numbers: Sequence[int]) -> list[str]:
    """Of units in that database."""
    return [f"{text} {number}" for number in numbers]
