"""Every argument of every op is described in its class's docstring; what is said there of nothing is seen."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from resbench.ops.registry import kinds
from resbench.ops.schema import FOLDER, argument_docs, read_source, table


@pytest.mark.parametrize("name", sorted(table()))
def test_every_argument_is_described(name: str) -> None:
    arguments = table()[name].arguments
    assert [key for key, argument in arguments.items() if len(argument.doc) < 10] == []


@pytest.mark.parametrize("name", sorted(table()))
def test_no_line_describes_an_argument_that_is_not_there(name: str) -> None:
    about, _ = argument_docs(inspect.cleandoc(kinds()[name].module.__doc__ or ""), table()[name].arguments)
    assert not re.search(r"^[a-z_]+: ", about, re.MULTILINE)


def test_lines_of_arguments() -> None:
    text = """Each value.

rate: how often,
  in [0, 1)
    and more
when: no argument

per: image or
not of it
"""
    assert argument_docs(text, ("rate", "per")) == (
        "Each value.\n\nwhen: no argument\n\nnot of it",
        {"rate": "how often, in [0, 1) and more", "per": "image or"},
    )
    assert argument_docs("rate: at once", ["rate"]) == ("", {"rate": "at once"})


def test_the_words_of_an_op() -> None:
    source = '''
"""First line.  BCHW -> BCHW

Second paragraph.
"""
@op("odd")
class Odd:
    """What it does.

    by: a number
    """
    def __init__(self, *, by: float) -> None: ...
    def forward(self, x): ...
'''.lstrip()
    (signature,) = read_source(source, "odd.py")
    assert signature.doc == "First line.  BCHW -> BCHW"
    assert signature.more == "What it does.\n\nSecond paragraph."
    assert signature.arguments["by"].doc == "a number"


def test_every_file_of_an_op_parses() -> None:
    assert all(ast.get_docstring(ast.parse(path.read_text("utf-8"))) for path in FOLDER.glob("*.py"))
