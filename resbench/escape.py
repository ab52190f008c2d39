r"""Untrusted text -> text that one format shows and does not interpret: one function per format.

Names, docs, errors, file names and rows of a database come from strangers. Each writer of a format passes them through its
function here; nothing else in resbench escapes. Characters that `str.isprintable` refuses (control characters, those that
reorder or hide text, line separators, lone surrogates) are first written as Python writes them: `\x1b`, `\u202e`, `\U000e0001`. A
backslash in the text stays single, since people read these texts. JSON and YAML, which are read back, lose nothing.

Python's own literals are written by `repr` and `ast.unparse`, which escape the same characters.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence

LONGEST = 4000  # characters of a cell or a line; a longer one helps no reader
_NOT_ASCII = re.compile(r"[^ -~]")
_NOT_YAML = re.compile(r"[^ !#-\[\]-~]")  # quotes and backslashes are escaped too
_ENDS = re.compile(r'\\|"{3,}|"\Z')  # what could end a docstring, where no backslash precedes it
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_XML_ATTRIBUTE = _XML | str.maketrans({'"': "&quot;", "'": "&#39;"})
_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': "''", "`": r"\textasciigrave{}", "[": "{[}", "–": "--", "×": r"$\times$",
})  # fmt: skip
_LONG_WORD = 16  # characters that fit a narrow column
_WORD_PARTS = re.compile(r"[^_=,/:]*[_=,/:]+|[^_=,/:]+")  # each part with the separators that follow it
_MARKDOWN = re.compile(
    r"[\\`*\[\]>|~$#]|(?<![a-z0-9])_|_(?![a-z0-9])"  # an underscore inside a word has no meaning in Markdown
    r"|(?<=www)\.|:(?=//)|^[-+](?=\s|$)|^[-=](?=[-= ]*$)",  # a link, a list item, a line under a heading
    re.IGNORECASE,
)
_CODE = re.compile(r"(`[^`]+`)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")  # a list item, too
_BARE_EDGE = re.compile(r"(?<!\\)((?:\\\\)*)\|")  # not escaped yet
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
# A spreadsheet reads a cell that starts so as a formula; some accept the full-width forms.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_DIVIDES, _EMPTY = re.compile(r'[",\r\n]'), '""'  # an empty line would not count as a row
_SECOND_CELL = re.compile(r"(?<=;)(?=[=+\-@])")  # where a semicolon separates cells


def printable(text: str, limit: int = 60) -> str:
    """Return one line for a terminal, a picture or a message, cut at `limit` characters; a line break is escaped too.

    >>> print(printable("two\\nlines \\x1b[31m \\u202e"))
    two\\x0alines \\x1b[31m \\u202e
    """
    shown = _shown(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def printable_lines(text: str) -> str:
    """Return the text with its line breaks; each line is escaped as by `printable`, and none is cut."""
    return text if text.isprintable() else "\n".join(map(_shown, text.split("\n")))


def _shown(text: str) -> str:
    return text if text.isprintable() else _NOT_ASCII.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character, code = match[0], ord(match[0])
    if character.isprintable():
        return character
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def xml_text(text: str) -> str:
    """Escape text between the tags of XML, SVG and HTML; line breaks are kept.

    >>> xml_text("</text><script>")
    '&lt;/text&gt;&lt;script&gt;'
    """
    return printable_lines(text).translate(_XML)


def xml_attribute(text: str) -> str:
    """Escape text inside an attribute, for quotes of either kind."""
    return printable_lines(text).translate(_XML_ATTRIBUTE)


def latex(text: str) -> str:
    """Escape text for a LaTeX cell or caption.

    >>> print(latex("relu_only 50 % {x} \\\\input"))
    relu\\_only 50 \\% \\{x\\} \\textbackslash{}input
    """
    # `--` must not become a dash, and a star after `\\` would belong to that command.
    written = re.sub("-(?=-)", "-\0", printable(text, LONGEST)).translate(_LATEX).replace("\0", "{}")
    return f"{{*}}{written[1:]}" if written.startswith("*") else written


def latex_wrapped(text: str) -> str:
    """Escape text that LaTeX wraps: a long word may break after its separators and, where there are none, anywhere.

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
    """Escape a line, a cell or a list item of GitHub's Markdown. `code`: text in backticks stays code, as our own files
    use it.

    >>> print(markdown("full_preactivation | <b> *x* _y_"))
    full_preactivation \\| &lt;b\\> \\*x\\* \\_y\\_
    """
    shown = printable(text, LONGEST).strip()
    return "".join(part if i % 2 else _marked(part) for i, part in enumerate(_CODE.split(shown) if code else [shown]))


def _marked(text: str) -> str:
    written = _MARKDOWN.sub(r"\\\g<0>", text)
    return _NUMBERED.sub(r"\1\\\2", written).replace("&", "&amp;").replace("<", "&lt;")


def markdown_row(cells: Iterable[str]) -> str:
    """Return a table row of cells that are Markdown already: no cell can end itself or the row early.

    >>> print(markdown_row(["`a|b`", markdown("c|d"), "e\\nf"]))
    | `a\\|b` | c\\|d | e f |
    """
    return f"| {' | '.join(_BARE_EDGE.sub(_edge, cell.replace(chr(10), ' ')) for cell in cells)} |"


def _edge(found: re.Match[str]) -> str:
    return f"{found[1]}\\|"


def dot(text: str) -> str:
    """Escape a line for the double quotes of a DOT string.

    >>> print(dot('a "b" \\\\N'))
    a \\"b\\" \\\\N
    """
    return _shown(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")


def mermaid(text: str) -> str:
    """Escape a line of a Mermaid label or comment: no character that Mermaid, Markdown or HTML interprets is left.

    >>> mermaid('a["b"]')
    'a#91;#34;b#34;#93;'
    """
    return "".join(c if c.isalnum() or c in " ._/:,()=→×·…+−‖-" else f"#{ord(c)};" for c in _shown(text))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]], *, raw: bool = False) -> str:
    """Return the text of a CSV file: RFC 4180 with lines that end in a single newline. None is an empty cell, bytes are
    hexadecimal, a list is JSON. A text that a spreadsheet would take for a formula is preceded by an apostrophe, unless
    it is a number; every row is one line. `raw`: texts are not escaped.

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
    """Return JSON that any reader parses to the same value. Without `ascii_only`, letters of other alphabets are not escaped.

    >>> json_text("é\\u202e"), json_text("é\\u202e", ascii_only=False)
    ('"\\\\u00e9\\\\u202e"', '"é\\\\u202e"')
    """
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    return written if ascii_only else _NOT_ASCII.sub(_json_escape, written)


def _json_escape(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() or found[0] == "\n" else json.dumps(found[0])[1:-1]


def yaml_string(text: str) -> str:
    """Return text in double quotes, in which YAML can write any text; it is parsed to the same text.

    >>> print(yaml_string('a "b"\\n\\u202e'))
    "a \\"b\\"\\n\\u202e"
    """
    return f'"{_NOT_YAML.sub(_yaml_escape, text)}"'


def _yaml_escape(found: re.Match[str]) -> str:
    return {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}.get(found[0]) or _escape(found)


def shell_line(words: Iterable[str]) -> str:
    """Return a command that a person may copy: the shell reads each word as one word, whatever it contains. A word with
    unprintable characters is in `$'...'` (bash, zsh, ksh), with their bytes in octal.

    >>> print(shell_line(["cat", "my file", "a\\nb"]))
    cat 'my file' $'a\\012b'
    """
    return " ".join(shlex.quote(word) if word.isprintable() else f"$'{_octal(word)}'" for word in words)


def _octal(word: str) -> str:
    def bytes_of(character: str) -> str:
        if character.isprintable():
            return f"\\{character}" if character in "\\'" else character
        is_raw_byte = "\udc80" <= character <= "\udcff"
        raw = character.encode("utf-8", "surrogateescape" if is_raw_byte else "surrogatepass")
        return "".join(f"\\{byte:03o}" for byte in raw)

    return "".join(map(bytes_of, word))


def python_docstring(text: str) -> str:
    """Escape text for the triple double quotes of a docstring: nothing ends it early, and its value is the text as it is shown.

    >>> print(python_docstring('says "hi"'))
    says "hi\\"
    """
    return _ENDS.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), printable_lines(text))
