"""Docstrings of `resbench.__all__` and of what its functions return -> docs/api.md: `python tools/docs/api_reference.py PAGE`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import resbench
from resbench import errors, plugin
from resbench.api import data, train
from resbench.api.architecture import analysis, network, unit
from resbench.api.results import comparison, plot, ranking, results
from resbench.api.study import check, events, study, worker
from resbench.drawing import picture
from resbench.files import write
from resbench.results import rows
from resbench.tabular import bench

HEAD = """\
# The Python door

`import resbench as rb` gives what the command line does to a program or a notebook. Functions take keyword arguments and raise
`resbench.ResbenchError`, whose text is whole; none of them prints or exits. This page is made from the docstrings by `make docs`,
and a test runs every example. [guide.md](guide.md) shows the same by task, and [notebook.ipynb](notebook.ipynb) is a start.
"""
FUNCTIONS = (
    "load_unit", "draw", "build_network", "analyze", "load_data", "load_recipe", "train_network", "batches", "load_study",
    "run_worker", "open_results", "load_benchmark",
)  # fmt: skip
CLASSES = (
    unit.Unit, picture.Picture, network.BuiltNetwork, analysis.Analysis, data.Data, data.DataSplit, train.TrainedRun,
    train.EpochBatches, study.Study, check.StudyCheck, study.StudyOutcome, worker.WorkerOutcome, results.Results, ranking.Ranking,
    rows.Rows, comparison.UnitComparison, plot.Plot, bench.Bench,
)  # fmt: skip
EVENTS = (events.RunsPlanned, events.EpochEnded, events.RunSaved, events.CellFailed, events.Message)
ERRORS = (errors.ResbenchError, errors.BadInput, errors.SpecError, errors.StudyInterrupted)
_SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Attributes|Example):$", re.MULTILINE)
_ENTRY = re.compile(r"^(\w+): ")


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "## Functions\n", *(function(name) for name in FUNCTIONS)]
    parts += ["## What they return\n", *map(whole_class, CLASSES)]
    parts += ["## Events of a running study\n", *map(whole_class, EVENTS)]
    parts += ["## Errors\n", *map(whole_class, ERRORS)]
    parts += ["## For authors of plugins: `resbench.plugin`\n", *map(plugin_entry, plugin.__all__)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def function(name: str) -> str:
    what = getattr(resbench, name)
    return f"### {name}\n```python\n{signature(f'resbench.{name}', what)}\n```\n{markdown(what)}\n"


def whole_class(kind: type) -> str:
    """Return a class's docstring and those of its public methods and properties."""
    parts = [f"### {kind.__name__}\n{markdown(kind)}"]
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property) and member.fget is not None and member.__doc__:
            parts.append(f"- `.{name}`: {_joined(inspect.getdoc(member) or '')}")
        elif inspect.isfunction(member) and member.__doc__:
            parts.append(
                f"\n#### {kind.__name__}.{name}\n```python\n{signature(f'.{name}', member)}\n```\n{markdown(member)}"
            )
    return "\n".join(parts) + "\n"


def plugin_entry(name: str) -> str:
    first = (inspect.getdoc(getattr(plugin, name)) or "").split("\n\n")[0]
    return f"- `{name}`: {_joined(first)}"


def signature(name: str, what: object) -> str:
    """Return the signature with one argument a line, as written, without `self`."""
    assert callable(what)
    found = inspect.signature(what)
    given = [parameter for key, parameter in found.parameters.items() if key != "self"]
    kinds = [parameter.kind for parameter in given]
    first = next((i for i, kind in enumerate(kinds) if kind is inspect.Parameter.KEYWORD_ONLY), None)
    words = [_parameter(parameter) for parameter in given]
    if first is not None and inspect.Parameter.VAR_POSITIONAL not in kinds:
        words.insert(first, "*")
    returned = "" if found.return_annotation is inspect.Signature.empty else f" -> {found.return_annotation}"
    line = f"{name}({', '.join(words)}){returned}"
    if len(line) <= 100:
        return line
    return f"{name}(\n" + "".join(f"    {word},\n" for word in words) + f"){returned}"


def _parameter(parameter: inspect.Parameter) -> str:
    kinds = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    stars = next((sign for kind, sign in kinds.items() if parameter.kind is kind), "")
    default = ""
    if parameter.default is not inspect.Parameter.empty:
        shown = "..." if callable(parameter.default) else repr(parameter.default)
        default = f" = {shown}"
    return f"{stars}{parameter.name}: {parameter.annotation}{default}"


def markdown(what: object) -> str:
    """Return a docstring as Markdown, with its sections as lists and its example as code."""
    pieces = _SECTION.split(inspect.getdoc(what) or "")
    return "\n".join([pieces[0].rstrip(), *_sections(pieces[1:])]) + "\n"


def _sections(pieces: list[str]) -> Iterator[str]:
    for title, text in zip(pieces[::2], pieces[1::2], strict=True):
        body = inspect.cleandoc(text)
        if title == "Example":
            yield f"\n```python\n{body}\n```"
        elif title in ("Returns", "Yields"):
            yield f"\n**{title}** {_joined(body)}"
        else:
            entries = re.split(r"\n(?=\w+: )", body)
            lines = ["- " + _ENTRY.sub(r"`\1`: ", _joined(entry)) for entry in entries]
            yield "\n".join(["", f"**{title}**", *lines])


def _joined(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    write(Path(sys.argv[1]), page().encode(), force=True)
