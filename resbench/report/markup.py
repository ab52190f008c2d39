"""A table of texts -> Markdown or LaTeX to paste.  No character of a name is obeyed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from resbench.escape import latex, markdown, markdown_row


@dataclass(frozen=True, slots=True)
class TextTable:
    """A column whose name starts with `>` is aligned to the right. `strong`: rows whose name stands out, by their place."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int]
    notes: tuple[str, ...]

    def written(self, escape: Callable[[str], str], before: str, after: str) -> list[list[str]]:
        """The cells, escaped; the name is what stands in the first column that is aligned to the left."""
        name = next((number for number, column in enumerate(self.columns) if not column.startswith(">")), -1)
        rows = [[escape(cell) for cell in row] for row in self.rows]
        for number in self.strong:
            rows[number][name] = f"{before}{rows[number][name]}{after}"
        return rows


def as_markdown(table: TextTable) -> str:
    """A table of GitHub's Markdown between its title and its notes."""
    names = [markdown(name.removeprefix(">")) for name in table.columns]
    rule = ["---:" if name.startswith(">") else "---" for name in table.columns]
    lines = [markdown_row(cells) for cells in (names, rule, *table.written(markdown, "**", "**"))]
    notes = [f"- {markdown(note)}" for note in table.notes]
    return "\n".join([markdown(table.title), "", *lines, "", *notes]) + "\n"


def as_latex(table: TextTable) -> str:
    """A table environment; its rules are those of the package booktabs."""
    names = [latex(name.removeprefix(">")) for name in table.columns]
    lines = [f"    {' & '.join(cells)} \\\\" for cells in (names, *table.written(latex, r"\textbf{", "}"))]
    places = "".join("r" if name.startswith(">") else "l" for name in table.columns)
    return "\n".join([
        r"% \usepackage{booktabs}", r"\begin{table}", r"  \centering",
        f"  \\caption{{{' '.join(latex(text) for text in (table.title + '.', *table.notes))}}}",
        f"  \\begin{{tabular}}{{{places}}}", r"    \toprule", lines[0], r"    \midrule", *lines[1:], r"    \bottomrule",
        r"  \end{tabular}", r"\end{table}",
    ]) + "\n"  # fmt: skip


MARKUPS: Mapping[str, Callable[[TextTable], str]] = {".md": as_markdown, ".tex": as_latex}
