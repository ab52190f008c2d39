"""Parameters that a unit starts in a way of its own -> the statements: `nn.init.constant_(self.g.conv1.bias, -6.0)`."""

from __future__ import annotations

from collections.abc import Sequence

from resbench.compiler.emit.number import Names, name_of, named
from resbench.ops.parameter import Initial


def start_lines(path: str, starts: Sequence[tuple[str, Initial | None]], names: Names) -> list[str]:
    """`names` learns the numbers; 0 and 1 stay as they are."""
    found = []
    for parameter, initial in starts:
        target, name = f"self.{path}.{parameter}", name_of(path, f"{parameter}_init")
        if initial in (0, 1):
            found.append(f"nn.init.{'ones' if initial else 'zeros'}_({target})")
        elif isinstance(initial, tuple):  # {normal: sd}, as binding writes it
            found.append(f"nn.init.normal_({target}, std={named(dict(initial)['normal'], name, names)})")
        elif initial is not None:
            found.append(f"nn.init.constant_({target}, {named(initial, name, names)})")
    return found
