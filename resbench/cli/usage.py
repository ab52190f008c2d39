"""Typer's own complaints about a command line repeat words of it: here they are made fit to be printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import typer
from typer.core import TyperGroup

from resbench.escape import LONGEST, printable

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # click's, which newer versions of typer carry within


class UsageShown(TyperGroup):
    """The group of all commands, through which every such error passes."""

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
        usage.message = printable(usage.message, LONGEST)
        raise
