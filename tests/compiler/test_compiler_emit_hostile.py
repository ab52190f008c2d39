"""Whatever the texts say that go into an emitted file, its code is the code of the same file without them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from command_line import Rb
from compiler_sample import chain
from hostile import ANY, CHARACTERS, COMBINED, TEXT
from hypothesis import given, settings

from resbench.compiler.export.python.formatter import docstring, lines, statement
from resbench.compiler.export.python.module import FileHeader, network_file, unit_file
from resbench.compiler.export.python.op_code import INPUT, formula
from resbench.compiler.graph import BoundNetwork
from resbench.escape import printable_lines, shell_line
from resbench.plugins.active import activate

TEXTS = (
    TEXT, "".join(CHARACTERS), "".join(reversed(CHARACTERS)), '"""', '"', '""', "\\", '\\"""', '"""\nimport os\n"""', "'''",
    "{x}", "a\\", "\\N{x}", '""""""""', "\r\n", "\t", "# coding: latin-1", " ", "x" * 300, '"' * 300, "\\" * 300,
)  # fmt: skip


@cache
def small() -> BoundNetwork:
    return chain("conv3x3", "layer_norm", "relu")


def files(text: str, units: tuple[str, ...] = ("sample",)) -> tuple[str, str]:
    """A network's file and its unit's, every text that can be given being this one."""
    about = FileHeader(text, text, text, units, lambda name: f"{name}: {text}")
    return network_file(small(), about), unit_file(small(), about, 0)


def code(source: str) -> str:
    """Without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def docstrings(source: str) -> list[str]:
    nodes = ast.walk(ast.parse(source))
    found = [ast.get_docstring(n) for n in nodes if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
    return [" ".join(text.split()) for text in found if text]


def shown(text: str) -> str:
    """In one line, as words."""
    return " ".join(printable_lines(text.replace("\t", " ").replace("\r", " ")).split())


@cache
def without_texts() -> list[str]:
    return [code(source) for source in files("")]


def check(text: str) -> None:
    for source, wanted in zip(files(text), without_texts(), strict=True):
        assert source.replace("\n", "").isprintable()
        assert code(source) == wanted
        documented = docstrings(source)
        assert sum(shown(text) in one for one in documented) >= (2 if shown(text) else 0)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_file_is_the_same_code_whatever_is_said_of_it(text: str) -> None:
    check(text)


def test_any_text_at_all() -> None:
    settings(max_examples=40, deadline=None, derandomize=True)(given(ANY)(check))()


@pytest.mark.parametrize("indent", ["", "    "])
def test_every_docstring_ends_where_it_ends(indent: str) -> None:
    """Each character and every row of three pieces, alone and among others, short and wrapped."""
    long = "word " * 30
    for text in [*CHARACTERS, *COMBINED]:
        for paragraphs in ([text], [text, text], [f"{long}{text}"], [f"{text} {long}", text]):
            source = "\n".join([f"{'class A:' if indent else ''}", *docstring(paragraphs, indent)])
            (found,) = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
            words = " ".join(shown(one) for one in paragraphs if shown(one))
            assert " ".join(str(found.value).split()) == words


def test_a_copied_docstring_says_what_it_said() -> None:
    for text in (
        r"a \d+ b",
        'ends in "quotes"',
        'has """ inside\nand a second line',
        "\\",
        "a\\\nb",
        "x" * 200 + ' """',
    ):
        tree = ast.parse(f"class A:\n    {text!r}\n    def f(self): pass").body[0]
        (copied,) = ast.parse("\n".join(statement(tree))).body
        assert isinstance(copied, ast.ClassDef)
        assert " ".join((ast.get_docstring(copied, clean=False) or "").split()) == " ".join(text.split())
        assert code("\n".join(statement(tree))) == code(f"class A:\n    {text!r}\n    def f(self): pass")


@pytest.mark.parametrize(
    "text", [":self.x", "(0.1234567890123456789, 2)", "=0.12345678901234567,", "self.a:", "'", '"', "a'b\"c\\"]
)
def test_a_text_in_code_is_not_laid_out(text: str) -> None:
    tree = ast.parse(f"f({text!r}, mode={text!r})", mode="eval").body
    assert ast.dump(ast.parse("\n".join(lines("", tree)), mode="eval").body) == ast.dump(tree)
    filled = formula(f"f({{0}}, {{1}}, '{{0}}', mode={(text + '{1}{all}')!r})", 3)
    texts = [node.value for node in ast.walk(ast.parse(filled)) if isinstance(node, ast.Constant)]
    assert set(texts) == {"{0}", text + "{1}{all}"}
    assert [filled.count(f"{INPUT}{i}") for i in range(3)] == [1, 1, 1]


EVIL_UNIT = """\
unit: evil
doc: {doc}
cite: {cite}
nodes:
  y: {{from: x, ops: [conv3x3: {{stride: $stride}}]}}
"""
BREAKS = '"\\"\\"\\"\\nimport pathlib\\npathlib.Path(\'broken\').touch()\\n\\"\\"\\""'
SAYS = '"\'; x \\\\\\"\\"\\" \\\\"'


def test_a_unit_of_a_stranger_is_exported(rb: Rb, tmp_path: Path) -> None:
    """Its doc, its cite, the folder and the words of the command line: nothing of them runs."""
    stranger = tmp_path / 'a """ b \' \\'
    stranger.mkdir()
    for folder, doc, cite in ((stranger, BREAKS, SAYS), (tmp_path, "Half", "nobody")):
        (folder / "evil.yaml").write_text(EVIL_UNIT.format(doc=doc, cite=cite), "utf-8")
    (stranger / "net.yaml").write_text(
        f"network: evil_net\ndoc: {BREAKS}\ncite: {SAYS}\nunit: evil\nstem: [conv3x3: {{out: 4}}]\n"
        "stages:\n  - {units: 2, out: 4}\nhead: [global_avg_pool, linear: {out: $classes}]\n", "utf-8"
    )  # fmt: skip
    plain = rb("unit", "export", "evil.yaml", "--to", "python")
    told = rb("unit", "export", stranger / "evil.yaml", "--to", "python")
    assert (plain.status, told.status, told.err) == (0, 0, "")
    assert code(told.out) == code(plain.out)
    (about, *_) = docstrings(told.out)
    assert "import pathlib pathlib.Path('broken').touch()" in about
    assert shown(shell_line([str(stranger / "evil.yaml")])) in about
    network = rb("net", "export", stranger / "net.yaml", "data=digits", "--to", "python")
    assert network.status == 0, network.err
    exec(
        compile(network.out + told.out.replace("from __future__ import annotations", ""), "emitted.py", "exec"),
        {"__name__": "emitted"},
    )
    assert (
        rb("net", "export", stranger / "net.yaml", "data=digits", "-o", "net.pt2").status == 0
    )  # made in this process
    assert b"pathlib" not in (tmp_path / "net.pt2").read_bytes()
    assert not Path("broken").exists()
    assert not (tmp_path / "broken").exists()


TEXTED = '''\
"""Nothing, in so many words.  BCHW -> BCHW"""

from torch import Tensor, nn

from resbench.ops.registry import op


@op("texted")
class Texted(nn.Module):
    def __init__(self, *, words: str) -> None:
        super().__init__()
        self.words = words

    def forward(self, x: Tensor) -> Tensor:
        return x
'''


def test_a_text_that_an_op_takes_is_a_text(rb: Rb, tmp_path: Path) -> None:
    """Also one that begins with the letter that marks, on the way, what is no text."""
    (tmp_path / "pl").mkdir()
    (tmp_path / "pl" / "texted.py").write_text(TEXTED, "utf-8")
    words = '\u01c1exit(1) \u202e {0} """ \' \\'
    quoted = "'" + words.replace("'", "''") + "'"
    unit = f"unit: mine\nnodes:\n  y: {{from: x, ops: [conv3x3: {{stride: $stride}}, texted: {{words: {quoted}}}]}}\n"
    (tmp_path / "mine.yaml").write_text(unit, "utf-8")
    try:
        said = rb("unit", "export", "mine.yaml", "--to", "python", "--plugins", "pl")
        pictures = [
            rb("unit", "show", "mine.yaml", "--plugins", "pl", "--format", how)
            for how in ("text", "svg", "dot", "mermaid")
        ]
    finally:
        activate((), lambda failure: None)
    assert said.status == 0, said.err
    assert said.out.replace("\n", "").isprintable()
    (made,) = (
        node
        for node in ast.walk(ast.parse(said.out))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Texted"
    )
    assert [ast.literal_eval(keyword.value) for keyword in made.keywords] == [words]
    for picture in pictures:
        assert picture.status == 0, picture.err
        assert picture.out.replace("\n", "").isprintable()


def test_ordinary_words_are_written_as_they_are() -> None:
    assert docstring(['Says "a" and b: 50 % {x} it\'s → é.'], "") == ['"""Says "a" and b: 50 % {x} it\'s → é."""']
