"""A user's options -> the format of a picture. No torch here, so that a wrong option is reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable

Format = Literal["text", "svg", "png", "mermaid", "dot"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: dict[str, Format] = {
    ".txt": "text", ".svg": "svg", ".png": "png", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot",
}  # fmt: skip


def format_of(path: str | Path) -> Format:
    """Return the format of a file's ending.

    >>> format_of("unit.svg")
    'svg'
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        problem = f"`{printable(ending)}` says none" if ending else "it has none"
        raise BadInput(
            f"{printable(str(path), 200)}: the ending tells the format, and {problem}; endings: {', '.join(ENDINGS)}"
            f"{did_you_mean(ending, list(ENDINGS))}"
        )
    return ENDINGS[ending]


def asked_format(given: str | None, out: Path | None) -> Format:
    """Return the format from `--format` and the file of `-o`. Raise BadInput where they contradict each other."""
    if given is None:
        return "text" if out is None else format_of(out)
    how = next((each for each in FORMATS if each == given), None)
    if how is None:
        raise BadInput(f"format `{printable(given)}`: choose from {', '.join(FORMATS)}{did_you_mean(given, FORMATS)}")
    if out is None and how == "png":
        raise BadInput("a PNG cannot be shown in the terminal: name a file with -o")
    if out is not None and ENDINGS.get(out.suffix.lower(), how) != how:
        raise BadInput(
            f"{printable(str(out), 200)}: its ending says {ENDINGS[out.suffix.lower()]}, --format says {how}"
        )
    return how
