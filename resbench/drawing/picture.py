"""Views of a unit -> Picture: the unit in every format, in a notebook, or in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resbench.drawing.annotated import AnnotatedView
from resbench.drawing.formats.dot import dot
from resbench.drawing.formats.mermaid import mermaid
from resbench.drawing.formats.png import png
from resbench.drawing.formats.svg import svg
from resbench.drawing.formats.text import text
from resbench.drawing.picture_format import Format, format_of
from resbench.files import write


@dataclass(frozen=True, slots=True)
class Picture:
    """A unit at one place of a network, or at several side by side."""

    views: tuple[AnnotatedView, ...]

    @property
    def svg(self) -> str:
        return svg(self.views)

    @property
    def text(self) -> str:
        return self.lines()

    def lines(self, *, width: int = 100, ascii_only: bool = False) -> str:
        """Return the picture as text of at most `width` characters a line."""
        return "\n".join(text(view, width=width, ascii_only=ascii_only) for view in self.views)

    def render(self, how: Format) -> bytes:
        match how:
            case "png":
                return png(self.views)
            case "svg":
                return self.svg.encode("utf-8")
            case "text":
                return self.text.encode("utf-8")
            case "mermaid":
                return "\n".join(map(mermaid, self.views)).encode("utf-8")
            case "dot":
                return "\n".join(map(dot, self.views)).encode("utf-8")

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the picture in the format of the file's ending: .txt, .svg, .png, .mmd or .dot.

        Raise BadInput for another ending, and for an existing file with other content unless `force` is set.
        """
        write(Path(path), self.render(format_of(path)), force=force)

    def __str__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg
