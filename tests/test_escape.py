"""Each format's function: a reader of the format finds the text as it is printed, and nothing beside it."""

from __future__ import annotations

import ast
import csv
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from io import StringIO
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import yaml
from hostile import ANY, CHARACTERS, COMBINED, HALVES, SETTINGS, TEXT, TURNING
from hypothesis import given
from markdown_it import MarkdownIt

from resbench import escape

TEXTS = [*CHARACTERS, *(f"a{sign}b" for sign in CHARACTERS), *COMBINED, TEXT, "", "é ü → 漢 🎉"]
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def line(text: str) -> str:
    return escape.printable(text, 10_000)


def every(check: Callable[[str], None], texts: Sequence[str] = TEXTS) -> None:
    """All of them, then what hypothesis finds."""
    for text in texts:
        check(text)
    SETTINGS(given(ANY)(check))()


def test_nothing_unprintable_is_left_and_the_rest_is_as_it_was() -> None:
    def check(text: str) -> None:
        shown = line(text)
        assert shown.isprintable()
        assert escape.printable_lines(text).replace("\n", "").isprintable()
        assert escape.printable_lines(text).count("\n") == text.count("\n")
        if text.isprintable():
            assert shown == escape.printable_lines(text) == text
        elif "\\" not in text:
            assert shown.encode("utf-8").decode("utf-8")
            assert unescaped(shown) == text

    every(check)
    assert line("\x1b\x85\u202e\U000e0001\ud800\n") == "\\x1b\\x85\\u202e\\U000e0001\\ud800\\x0a"
    assert line("\u202e41") == "\\u202e41"  # by its length what follows is no part of it


def unescaped(shown: str) -> str:
    """What Python reads; pairs of surrogates stay two."""
    return re.sub(
        r"\\(?:x(..)|u(....)|U(........))", lambda found: chr(int(found[1] or found[2] or found[3], 16)), shown
    )


def test_a_line_is_cut() -> None:
    assert escape.printable("a" * 100, 10) == "aaaaaaa..."
    assert escape.printable("a" * 10, 10) == "a" * 10


def test_xml_holds_the_text_and_no_element_more() -> None:
    def check(text: str) -> None:
        shown = escape.printable_lines(text)
        root = ElementTree.fromstring(
            f"<a b='{escape.xml_attribute(text)}' c=\"{escape.xml_attribute(text)}\">{escape.xml_text(text)}</a>"
        )
        assert (len(root), root.text or "") == (0, shown)
        assert root.get("b") == root.get("c") == shown.replace("\n", " ")  # so XML reads a line break there

    every(check)


LATEX = {
    r"\textbackslash{}": "\\", r"\{": "{", r"\}": "}", r"\$": "$", r"\&": "&", r"\#": "#", r"\_": "_", r"\%": "%",
    r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|",
    "''": '"', r"\textasciigrave{}": "`", "{[}": "[", "{*}": "*", r"$\times$": "×", "-{}": "-", "--": "–",
}  # fmt: skip


def test_latex_has_nothing_special_left() -> None:
    words = re.compile("|".join(map(re.escape, sorted(LATEX, key=len, reverse=True))) + "|.", re.DOTALL)

    def check(text: str) -> None:
        found = words.findall(escape.latex(text))
        assert not set(found) & set('\\{}$&#_%^~<>|"`[')
        assert "".join(LATEX.get(word, word) for word in found).replace('"', "''") == line(text).replace('"', "''")

    every(check)
    assert escape.latex("*a") == "{*}a"  # behind the `\\` of the row above, `*` would be a part of it


def inline(document: str, of: str) -> list[str]:
    """The texts of a kind of block of a document, in which nothing but text is."""
    tokens, found = MARKDOWN.parse(document), []
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type == of:
            assert {child.type for child in token.children or ()} <= {"text"}
            found.append("".join(child.content for child in token.children or ()))
    return found


def test_markdown_is_a_row_an_item_and_a_heading_of_plain_text() -> None:
    def check(text: str) -> None:
        shown, written = line(text).strip(), escape.markdown(text)
        rows = [escape.markdown_row(cells) for cells in ("abc", ("---", "---", "---"), (written, written, "x"))]
        document = "\n".join([written, "", *rows, "", f"- {written}", "", f"# {written} |", ""])
        assert inline(document, "td_open") == [shown, shown, "x"]
        if shown:
            paragraphs = inline(document, "paragraph_open")
            assert paragraphs == [shown, shown]
            assert inline(document, "heading_open") == [f"{shown} |"]

    every(check, [text for text in TEXTS if len(text) != 3])  # a parser of Markdown takes its time


def test_markdown_that_is_markdown_stays_in_its_cell() -> None:
    assert escape.markdown_row(["`a|b`", "a\\|b", "a\\\\|b\nc"]) == "| `a\\|b` | a\\|b | a\\\\\\|b c |"
    assert escape.markdown("`a_<` is *b* <i>", code=True) == "`a_<` is \\*b\\* &lt;i\\>"


def test_dot_is_one_string() -> None:
    def check(text: str) -> None:
        written = escape.dot(text)
        assert re.fullmatch(r'(?:[^"\\]|\\["\\])*', written)
        assert re.sub(r'\\(["\\])', r"\1", written).replace("&amp;", "&") == line(text)

    every(check)


def test_mermaid_is_one_label() -> None:
    def check(text: str) -> None:
        written = escape.mermaid(text)
        assert not set(re.sub(r"#\d+;", "", written)) & set("\"'`[]{}<>#;&|%\\*_$\n") - {"_"}
        assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), written) == line(text)

    every(check)


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


def test_csv_is_read_back_cell_by_cell() -> None:
    def check(text: str) -> None:
        (head, row), (raw_head, raw) = (
            rows_of(escape.csv_text([text, "n"], [[text, -1.5]], raw=raw)) for raw in (False, True)
        )
        assert raw_head[0] == raw[0] == text
        assert (head[1:], row[1:], head[0]) == (["n"], ["-1.5"], row[0])
        assert row[0].removeprefix("'") == re.sub("(?<=;)(?=[-=+@])", "'", line(text)).removeprefix("'")
        assert row[0].isprintable()
        assert re.search("(^|;)[=@]", row[0]) is None

    every(check)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1+1", "'+1+1"), ("-1+1", "'-1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\\x09=1"),
        ("\r=1", "'\\x0d=1"), ("\n=1", "'\\x0a=1"), ("＝1", "'＝1"), ("a;=1+1", "a;'=1+1"),
        ("a=b", "a=b"), ("a-b", "a-b"), ("", ""),
        ("-1.5", "-1.5"), ("+2e-3", "+2e-3"), (-1.5, "-1.5"), (None, ""), (True, "true"), (b"\x00\xff", "00ff"),
        (["a", "-"], '["a", "-"]'),
    ],
)  # fmt: skip
def test_a_spreadsheet_sees_text_where_there_is_text(value: object, cell: str) -> None:
    assert rows_of(escape.csv_text(["a", "b"], [[value, 0]])) == [["a", "b"], [cell, "0"]]
    as_it_is = value if isinstance(value, str) else cell
    assert rows_of(escape.csv_text(["a", "b"], [[value, 0]], raw=True)) == [["a", "b"], [as_it_is, "0"]]


def test_json_and_yaml_give_back_what_was_written() -> None:
    def check(text: str) -> None:
        for written in (escape.json_text({text: [text]}), escape.json_text({text: [text]}, ascii_only=False, indent=1)):
            assert json.loads(written) == {text: [text]}
            assert written.replace("\n", "").isprintable()
        assert escape.json_text(text).isascii()
        quoted = escape.yaml_string(text)
        assert quoted.isprintable()
        assert yaml.compose(quoted, yaml.SafeLoader).value == text

    every(check)


def test_a_shell_takes_each_word_as_it_is() -> None:
    words = [text for text in TEXTS if "\0" not in text and not set(text) & set(HALVES)] + ["a\udcffb", "-x"]
    written = escape.shell_line(words)
    assert written.isprintable()
    run = subprocess.run(["bash"], input=f"printf '%s\\0' {written}".encode(), capture_output=True, check=True)
    assert run.stdout.split(b"\0")[:-1] == [word.encode("utf-8", "surrogateescape") for word in words]
    plain = [word for word in words if word.isprintable()]
    assert shlex.split(escape.shell_line(plain)) == plain
    assert escape.shell_line(["cat", "a b"]) == "cat 'a b'"


def test_no_text_ends_a_docstring() -> None:
    def check(text: str) -> None:
        (only,) = ast.parse(f'"""{escape.python_docstring(text)}"""').body
        assert isinstance(only, ast.Expr)
        assert isinstance(only.value, ast.Constant)
        assert only.value.value == escape.printable_lines(text)

    every(check)
    assert escape.python_docstring('Says "a" and "b".') == 'Says "a" and "b".'  # as a person writes it


def test_what_turns_text_is_among_the_texts() -> None:
    assert not any(sign.isprintable() for sign in TURNING + HALVES)
