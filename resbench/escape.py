r"""Text that anybody may have written -> text that one format shows and does not obey: a function for each format.

Names, docs, errors, file names and rows of a database come from strangers. Each writer of a format passes them through its
function here; nothing else in resbench escapes. What `str.isprintable` refuses (control characters, signs that turn or hide
text, separators of lines, half a pair of surrogates) is first written as Python does: `\x1b`, `\u202e`, `\U000e0001`. A
backslash that was there stays single: these are texts for people. JSON and YAML, which are read back, lose nothing.

Python's own literals are written by `repr` and `ast.unparse`, which escape the same characters.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence

LONGEST = 4000  # characters of a cell or a line; no longer one helps a person
_NOT_ASCII = re.compile(r"[^ -~]")
_NOT_YAML = re.compile(r"[^ !#-\[\]-~]")  # nor a quote, nor a backslash
_ENDS = re.compile(r'\\|"{3,}|"\Z')  # of a docstring, each of these signs without a backslash before it
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_XML_ATTRIBUTE = _XML | str.maketrans({'"': "&quot;", "'": "&#39;"})
_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': "''", "`": r"\textasciigrave{}", "[": "{[}", "–": "--", "×": r"$\times$",
})  # fmt: skip
_LONG_WORD = 16  # characters that fit a narrow column
_WORD_PARTS = re.compile(r"[^_=,/:]*[_=,/:]+|[^_=,/:]+")  # each with the signs behind it
_MARKDOWN = re.compile(
    r"[\\`*\[\]>|~$#]|(?<![a-z0-9])_|_(?![a-z0-9])"  # an underscore inside a word is none of Markdown's
    r"|(?<=www)\.|:(?=//)|^[-+](?=\s|$)|^[-=](?=[-= ]*$)",  # a link, an item of a list, a line under a heading
    re.IGNORECASE,
)
_CODE = re.compile(r"(`[^`]+`)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")  # an item of a list, too
_BARE_EDGE = re.compile(r"(?<!\\)((?:\\\\)*)\|")  # without a backslash of its own
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # at the start of a cell, to a spreadsheet; the wide ones where those are typed
_DIVIDES, _EMPTY = re.compile(r'[",\r\n]'), '""'  # a line with nothing on it would be no row
_SECOND_CELL = re.compile(r"(?<=;)(?=[=+\-@])")  # where a semicolon divides cells


def printable(text: str, limit: int = 60) -> str:
    """Return one line for a terminal, a picture or a message, cut at `limit`; a line break is shown too.

    >>> print(printable("two\\nlines \\x1b[31m \\u202e"))
    two\\x0alines \\x1b[31m \\u202e
    """
    shown = _shown(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def printable_lines(text: str) -> str:
    """Return lines as they are, each shown like that and none of them cut."""
    return text if text.isprintable() else "\n".join(map(_shown, text.split("\n")))


def _shown(text: str) -> str:
    return text if text.isprintable() else _NOT_ASCII.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    sign, code = found[0], ord(found[0])
    if sign.isprintable():
        return sign
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def xml_text(text: str) -> str:
    """Between the tags of XML, SVG and HTML; lines stay lines.

    >>> xml_text("</text><script>")
    '&lt;/text&gt;&lt;script&gt;'
    """
    return printable_lines(text).translate(_XML)


def xml_attribute(text: str) -> str:
    """Inside of quotes of either kind, too."""
    return printable_lines(text).translate(_XML_ATTRIBUTE)


def latex(text: str) -> str:
    """In a cell or a caption.

    >>> print(latex("relu_only 50 % {x} \\\\input"))
    relu\\_only 50 \\% \\{x\\} \\textbackslash{}input
    """
    written = re.sub("-(?=-)", "-\0", printable(text, LONGEST)).translate(_LATEX).replace("\0", "{}")  # `--` is no dash
    return f"{{*}}{written[1:]}" if written.startswith("*") else written  # behind `\\` it would be a part of that


def latex_wrapped(text: str) -> str:
    """Where lines are wrapped: a long word may be broken behind its signs, and where nothing else is left, anywhere.

    >>> print(latex_wrapped("of full_preactivation"))
    of full\\_\\allowbreak{}preactivation
    """
    words = printable(text, LONGEST).split(" ")
    return " ".join(latex(word) if len(word) <= _LONG_WORD else _broken(word) for word in words)


def _broken(word: str) -> str:
    parts = [found[0] for found in _WORD_PARTS.finditer(word)]
    cut = ([part[start : start + _LONG_WORD] for start in range(0, len(part), _LONG_WORD)] for part in parts)
    return r"\allowbreak{}".join(r"\penalty9000{}".join(map(latex, pieces)) for pieces in cut)


def markdown(text: str, *, code: bool = False) -> str:
    """Return a line, a cell or an item of GitHub's Markdown. `code`: what is in backticks stays code, as our own files
    write it.

    >>> print(markdown("full_preactivation | <b> *x* _y_"))
    full_preactivation \\| &lt;b\\> \\*x\\* \\_y\\_
    """
    shown = printable(text, LONGEST).strip()
    return "".join(part if i % 2 else _marked(part) for i, part in enumerate(_CODE.split(shown) if code else [shown]))


def _marked(text: str) -> str:
    written = _MARKDOWN.sub(r"\\\g<0>", text)
    return _NUMBERED.sub(r"\1\\\2", written).replace("&", "&amp;").replace("<", "&lt;")


def markdown_row(cells: Iterable[str]) -> str:
    """Return a row of a table of cells that are Markdown already: none ends the cell or the row.

    >>> print(markdown_row(["`a|b`", markdown("c|d"), "e\\nf"]))
    | `a\\|b` | c\\|d | e f |
    """
    return f"| {' | '.join(_BARE_EDGE.sub(_edge, cell.replace(chr(10), ' ')) for cell in cells)} |"


def _edge(found: re.Match[str]) -> str:
    return f"{found[1]}\\|"


def dot(text: str) -> str:
    """Return a line inside of the double quotes of a DOT string.

    >>> print(dot('a "b" \\\\N'))
    a \\"b\\" \\\\N
    """
    return _shown(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def mermaid(text: str) -> str:
    """Return a line of a Mermaid label or comment: no sign of Mermaid's, Markdown's or HTML's own is left.

    >>> mermaid('a["b"]')
    'a#91;#34;b#34;#93;'
    """
    return "".join(c if c.isalnum() or c in " ._/:,()=→×·…+−‖-" else f"#{ord(c)};" for c in _shown(text))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]], *, raw: bool = False) -> str:
    """Return a whole file: RFC 4180 with lines that end in a single newline. Nothing is an empty cell, bytes are
    hexadecimal, a list is JSON. A text that a spreadsheet would take for a formula gets an apostrophe before it, unless
    it is a number; every row is one line. `raw`: texts as they are.

    >>> print(csv_text(["a", "b", "c"], [["=1+1", -1.5, "two\\nlines"]]), end="")
    a,b,c
    '=1+1,-1.5,two\\x0alines
    """
    lines = (",".join(_quoted(_cell(value, raw)) for value in row) for row in (columns, *rows))
    return "".join(f"{line or _EMPTY}\n" for line in lines)


def _quoted(cell: str) -> str:
    return f'"{cell.replace(chr(34), 2 * chr(34))}"' if _DIVIDES.search(cell) else cell


def _cell(value: object, raw: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return json_text(value)
    if not isinstance(value, str) or raw:
        return str(value)
    formula = value.startswith(_FORMULA) and not _NUMBER.fullmatch(value)
    return f"{chr(39) * formula}{_SECOND_CELL.sub(chr(39), _shown(value))}"


def json_text(value: object, *, indent: int | None = None, ascii_only: bool = True) -> str:
    """JSON that any reader gives back as it was. Not `ascii_only`: letters of other alphabets as they are.

    >>> json_text("é\\u202e"), json_text("é\\u202e", ascii_only=False)
    ('"\\\\u00e9\\\\u202e"', '"é\\\\u202e"')
    """
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    return written if ascii_only else _NOT_ASCII.sub(_json_escape, written)


def _json_escape(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() or found[0] == "\n" else json.dumps(found[0])[1:-1]


def yaml_string(text: str) -> str:
    """In double quotes, which is how YAML writes any text; it is read back as it was.

    >>> print(yaml_string('a "b"\\n\\u202e'))
    "a \\"b\\"\\n\\u202e"
    """
    return f'"{_NOT_YAML.sub(_yaml_escape, text)}"'


def _yaml_escape(found: re.Match[str]) -> str:
    return {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}.get(found[0]) or _escape(found)


def shell_line(words: Iterable[str]) -> str:
    """Return a command that a person may copy: each word is one to the shell, whatever is in it. A word that cannot be
    printed is in `$'...'` (bash, zsh, ksh), its bytes in octal.

    >>> print(shell_line(["cat", "my file", "a\\nb"]))
    cat 'my file' $'a\\012b'
    """
    return " ".join(shlex.quote(word) if word.isprintable() else f"$'{_octal(word)}'" for word in words)


def _octal(word: str) -> str:
    def bytes_of(sign: str) -> str:
        if sign.isprintable():
            return f"\\{sign}" if sign in "\\'" else sign
        raw = sign.encode("utf-8", "surrogateescape" if "\udc80" <= sign <= "\udcff" else "surrogatepass")
        return "".join(f"\\{byte:03o}" for byte in raw)

    return "".join(map(bytes_of, word))


def python_docstring(text: str) -> str:
    """Return words between the triple double quotes of a docstring: none ends it, and its value is the text as it is printed.

    >>> print(python_docstring('says "hi"'))
    says "hi\\"
    """
    return _ENDS.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), printable_lines(text))
