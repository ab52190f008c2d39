"""A name -> a package on disk with an op of that name and a unit that uses it; it can be installed and passes its check."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path

from resbench import __version__
from resbench.errors import BadInput, StorageError
from resbench.files import write

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "NAME"
version = "0.1.0"
description = "An op and a unit for resbench."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["resbench >= VERSION"]

[project.entry-points."resbench.ops"]
NAME = "NAME.op"

[project.entry-points."resbench.units"]
NAME = "NAME"

[tool.hatch.build.targets.wheel]
packages = ["src/NAME"]

[tool.pytest.ini_options]
pythonpath = ["src"]
"""
OP = '''\
"""A learned factor for each channel.  BCHW -> BCHW"""

from torch import Tensor

from resbench.ops.parameter import Parametric, Start, empty
from resbench.ops.registry import op


@op("NAME", role="gate", effect="learned", factor=lambda arguments: arguments["init"], by_channel=True)
class CLASS(Parametric):
    """init: where each factor starts"""

    def __init__(self, channels: int, *, init: float = 1.0) -> None:
        super().__init__()
        self.weight = empty(channels, 1, 1)
        self.starts = {"weight": Start("gain", initial=init)}
        self.buffer_starts = {}

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
'''
UNIT = """\
unit: NAME_unit
doc: Full pre-activation with NAME after the second convolution
params: {init: 1.0}
nodes:
  a: {from: x, ops: [bn, relu]}
  f: {from: a, ops: [conv3x3: {stride: $stride}, bn, relu, conv3x3, NAME: {init: $init}]}
  h: {from: x, ops: [shortcut]}
  y: {from: [h, f], ops: [add]}
when:
  - {if: first or transition, nodes: {h: {from: a}}}
boundary: {layers: 2, after_last: [bn, relu]}
"""
TEST = '''\
"""Test that the op keeps the contract of every op."""

import pytest
from NAME.op import CLASS

from resbench.testing import check_op


@pytest.mark.parametrize("init", [1.0, 0.5])
def test_contract(init: float) -> None:
    check_op(CLASS, {"init": init}, inputs=[(8, 6, 5)])
'''
README = """\
# NAME

A plugin of resbench: the op `NAME` (`src/NAME/op.py`) and the unit `NAME_unit` (`src/NAME/units/NAME_unit.yaml`).

    resbench plugins check .                              # without installing anything
    resbench unit check NAME_unit --plugins .
    pytest                                                # the contract of the op
    pip install .                                         # then resbench finds it by itself
    resbench net show resnet_cifar unit=NAME_unit

The entry points in `pyproject.toml` say what it gives; one for each op, named as the op is. What pictures and `analyze` know of
the op stands in its `@op(...)`: its role, its effect on the identity path, and other names for it (`aliases=("other",)`).
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "README.md": README,
    "src/NAME/__init__.py": '"""A plugin of resbench."""\n',
    "src/NAME/op.py": OP,
    "src/NAME/units/NAME_unit.yaml": UNIT,
    "tests/test_NAME.py": TEST,
}


def write_package(name: str, folder: Path) -> Path:
    """Write the package to a new folder in `folder`. Raises BadInput if the name is taken."""
    target = folder / name
    filled = {"NAME": name, "CLASS": "".join(word.capitalize() for word in name.split("_")), "VERSION": __version__}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if lexists(target):
            raise BadInput(f"{target}: exists already and was left as it is; give another name")
        target.mkdir()
        for path, text in FILES.items():
            for mark, value in filled.items():
                path, text = path.replace(mark, value), text.replace(mark, value)
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, text.encode())
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error.strerror}") from None
    return target
