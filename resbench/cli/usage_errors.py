"""Typer's usage errors repeat words of the command line; here they are made printable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import typer
from typer.core import TyperGroup

from resbench.escape import LONGEST, printable

_UNKNOWN = re.compile(r"No such command '([^']+)'")
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # click's, which newer versions of typer include


class UsageShown(TyperGroup):
    """The group of all commands, which every usage error passes through."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _shown():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _shown():
            return super().invoke(ctx)


@contextmanager
def _shown() -> Iterator[None]:
    try:
        yield
    except _USAGE_ERROR as error:
        usage = cast(Any, error)
        usage.message = printable(f"{usage.message}{_nearest(usage)}", LONGEST)
        raise


def _nearest(usage: Any) -> str:
    """Return a hint: the same command in another group, or how to write a value as a word."""
    context = usage.ctx
    if context is None:
        return ""
    option = getattr(usage, "option_name", None)
    if option is not None and any("=VALUE" in str(param.metavar) for param in context.command.params):
        return f" Write values without dashes: {str(option).lstrip('-')}=VALUE"
    unknown = _UNKNOWN.match(usage.message)
    groups = getattr(context.find_root().command, "commands", {})
    others = [name for name, group in groups.items() if unknown and unknown[1] in getattr(group, "commands", {})]
    return f" There is {', '.join(f'`resbench {name} {unknown[1]}`' for name in others)}." if unknown and others else ""
