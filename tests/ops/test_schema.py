"""The table read from the ops' source is what Python sees in their classes; reading it needs no torch."""

from __future__ import annotations

import inspect
import subprocess
import sys
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from torch import nn

from resbench.errors import Reason
from resbench.language.graph.signature import Argument
from resbench.ops.registry import kinds
from resbench.ops.schema import read_source, table

PLAIN = {int: "int", float: "float", bool: "bool", str: "str", NoneType: "None"}


def described(annotation: Any) -> tuple[set[str], tuple[str, ...]]:
    """An annotation as Python resolves it -> kinds and literals."""
    parts = list(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else [annotation]
    found: set[str] = set()
    literals: tuple[str, ...] = ()
    if dict[str, float] in parts:  # ops.parameter.Initial
        found.add("initial")
        parts = [part for part in parts if part not in (dict[str, float], str, float)]
    for part in parts:
        if part is nn.Module:
            found.add("ops")
        elif get_origin(part) is Literal:
            found.add("literal")
            literals = get_args(part)
        else:
            found.add("pair" if part == tuple[int, int] else PLAIN[part])
    return found, literals


@pytest.mark.parametrize("name", sorted(kinds()))
def test_as_python_sees_it(name: str) -> None:
    module, signature = kinds()[name].module, table()[name]
    own = "__init__" in vars(module)
    parameters = inspect.signature(module.__init__).parameters if own else {}
    hints = get_type_hints(module.__init__) if own else {}
    assert signature.wants_channels == ("channels" in parameters)
    keywords = {n: p for n, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert list(signature.arguments) == list(keywords)
    assert set(parameters) - set(keywords) <= {"self", "channels"}
    for argument, parameter in keywords.items():
        said: Argument = signature.arguments[argument]
        assert (set(said.kinds), said.literals) == described(hints[argument]), argument
        assert len(set(said.kinds)) == len(said.kinds)
        assert said.required == (parameter.default is inspect.Parameter.empty)
        if not said.required:
            assert (said.default, type(said.default)) == (parameter.default, type(parameter.default))
    sources = [p for n, p in inspect.signature(module.forward).parameters.items() if n != "self"]
    if sources[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        assert signature.inputs == (len(sources), None)
    else:
        assert signature.inputs == (len(sources), len(sources))
    first = (sys.modules[module.__module__].__doc__ or "").split("\n")[0]
    assert signature.doc == first
    assert " -> " in first, "the first line says what becomes what"
    assert signature.origin == f"{module.__module__.rpartition('.')[2]}.py"


def test_table_and_registry_name_the_same_ops() -> None:
    own = {
        name for name, kind in kinds().items() if kind.origin.startswith("resbench.ops.")
    }  # others' stay once imported
    assert set(table()) == own
    assert len(table()) >= 24


def test_reading_it_imports_no_torch() -> None:
    code = (
        "import sys; from resbench.ops.schema import table; assert 'conv' in table(); "
        "found = sorted(m for m in ('torch', 'numpy') if m in sys.modules); print(found)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("init", "forward", "words"),
    [
        ("*, thing: list[float]", "forward", r"cannot be annotated with list\[float\]; allowed: int, float, "),
        ("*, thing=1", "forward", "cannot be annotated with nothing; allowed: int, float, "),
        ("channels, thing: int = 1", "forward", "argument `thing` precedes the `\\*`; only `channels` may"),
        ("*, thing: int = 1", "run", "Odd has no method `forward`"),
    ],
)
def test_a_class_that_cannot_be_an_op_is_refused(init: str, forward: str, words: str) -> None:
    source = f'@op("odd")\nclass Odd:\n    def __init__(self, {init}): ...\n    def {forward}(self, x): ...\n'
    with pytest.raises(Reason, match=words):
        list(read_source(source, "odd.py"))
