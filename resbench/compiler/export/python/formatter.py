"""Syntax trees -> lines as a formatter would lay them out: at most 120 wide, with double quotes, and one argument a
line where there are many.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from fractions import Fraction

from resbench.escape import python_docstring

WIDTH = 120
_STEP = "    "
_LONG = re.compile(r"(?<=[(=, ])(?<![-+*/] )\d\.\d{12,}(?=[,)])")
QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_SPACE = re.compile(r"[ \t\r\n]+")
_PARTS = 10_000  # the largest denominator
_STACKED = ("chain", "group", "Stage")  # calls that show a structure: all on one line, or one argument a line


def lines(before: str, tree: ast.expr, after: str = "", indent: str = "") -> list[str]:
    """Return `before`, the expression and `after` as lines, split where they do not fit on one.

    >>> print("\\n".join(lines("self.f = ", ast.parse("chain(a=f(" + "x" * 60 + "), b=g(" + "y" * 60 + "))").body[0].value)))
    self.f = chain(
        a=f(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx),
        b=g(yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy),
    )
    """
    whole = f"{indent}{before}{_text(tree)}{after}"
    inside = _inside(tree)
    if len(whole) > WIDTH and isinstance(tree, ast.Starred) and isinstance(tree.value, ast.ListComp):
        return _comprehension(before, tree.value, after, indent)
    if len(whole) <= WIDTH or inside is None:
        return (
            [whole]
            if len(whole) <= WIDTH or not isinstance(tree, ast.BinOp)
            else _operands(before, tree, after, indent)
        )
    opening, items, closing = inside
    deeper = indent + _STEP
    first, last = f"{indent}{before}{opening}", f"{indent}{closing}{after}"
    row = deeper + ", ".join(name + _text(item) for name, item in items)
    if len(row) <= WIDTH and not opening.startswith(_STACKED) and not isinstance(tree, ast.Tuple | ast.List):
        return [first, row, last]
    middle = [line for name, item in items for line in lines(name, item, ",", deeper)]
    return [first, *middle, last]


def _inside(tree: ast.expr) -> tuple[str, list[tuple[str, ast.expr]], str] | None:
    """Return the opening, the items (each behind its name and a sign) and the closing of a bracketed expression."""
    if isinstance(tree, ast.Call) and (tree.args or tree.keywords):
        named = [(f"{k.arg}=" if k.arg else "**", k.value) for k in tree.keywords]
        return f"{ast.unparse(tree.func)}(", [*(("", a) for a in tree.args), *named], ")"
    if isinstance(tree, ast.Tuple) and tree.elts:
        return "(", [("", item) for item in tree.elts], ")"
    if isinstance(tree, ast.List) and tree.elts:
        return "[", [("", item) for item in tree.elts], "]"
    if isinstance(tree, ast.Starred):
        inner = _inside(tree.value)
        return None if inner is None else (f"*{inner[0]}", inner[1], inner[2])
    return None


def _comprehension(before: str, tree: ast.ListComp, after: str, indent: str) -> list[str]:
    (loop,) = tree.generators
    deeper = indent + _STEP
    over = lines(f"for {ast.unparse(loop.target)} in ", loop.iter, "", deeper)
    return [f"{indent}{before}*[", *lines("", tree.elt, "", deeper), *over, f"{indent}]{after}"]


def _operands(before: str, tree: ast.BinOp, after: str, indent: str) -> list[str]:
    return [f"{indent}{before}(", *lines("", tree.left, "", indent + _STEP),
            *lines(f"{_sign(tree)} ", tree.right, "", indent + _STEP), f"{indent}){after}"]  # fmt: skip


def _sign(tree: ast.BinOp) -> str:
    return ast.unparse(ast.BinOp(ast.Name("a"), tree.op, ast.Name("b"))).split()[1]


def _text(tree: ast.expr) -> str:
    """Return the expression on one line, with a formatter's spaces in slices over names; quoted text is unchanged."""
    parts = QUOTED.split(requoted(ast.unparse(tree)))
    return "".join(part if i % 2 else _spaced(part) for i, part in enumerate(parts))


def _spaced(code: str) -> str:
    shortened = _LONG.sub(_fraction, code)
    return re.sub(r"(self\.\w+):(?=[\]:])", r"\1 :", re.sub(r":(?=self\.\w)", ": ", shortened))


def _fraction(number: re.Match[str]) -> str:
    """Return the number as a fraction, such as `1 / 18`, where that is exactly equal."""
    part = Fraction(float(number[0])).limit_denominator(_PARTS)
    return f"{part.numerator} / {part.denominator}" if float(part) == float(number[0]) else number[0]


def requoted(source: str) -> str:
    """Return the source with double quotes for texts without quotes or backslashes, and short exponents.

    >>> requoted("f(per='image', eps=1e-05)")
    'f(per="image", eps=1e-5)'
    """
    rows = source.split("\n")
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        start = token.string.find("'")
        plain = token.type == tokenize.STRING and token.string.endswith("'") and not token.string.endswith("'''")
        text = token.string
        if token.type == tokenize.NUMBER:
            text = text.replace("e-0", "e-")
        elif plain and start in (0, 1) and '"' not in text and "\\" not in text:
            text = text[:start] + '"' + text[start + 1 : -1] + '"'
        if text != token.string:
            (row, column), (_, end) = token.start, token.end
            rows[row - 1] = rows[row - 1][:column] + text + rows[row - 1][end:]
    return "\n".join(rows)


def wrapped(text: str, indent: str = "", width: int = WIDTH) -> list[str]:
    """Return the text wrapped to lines."""
    found, current = [], indent
    for word in text.split():
        if current.strip() and len(current) + 1 + len(word) > width:
            found.append(current)
            current = indent
        current += word if current == indent else f" {word}"
    return [*found, current]


def docstring(texts: Sequence[str], indent: str) -> list[str]:
    """Return a docstring of paragraphs, on one line where it fits. No paragraph can end it."""
    paragraphs = [python_docstring(_SPACE.sub(" ", text)) for text in texts]
    whole = f'{indent}"""{" ".join(paragraphs)}"""'
    if len(paragraphs) == 1 and len(whole) <= WIDTH:
        return [whole]
    content = [line for text in paragraphs if text for line in [*wrapped(text, indent, WIDTH - 3), ""]][:-1]
    return [indent + '"""' + content[0].removeprefix(indent), *content[1:], f'{indent}"""']


_BLOCKS = (ast.If, ast.For, ast.While, ast.With)


def statement(tree: ast.stmt, indent: str = "") -> list[str]:
    """Return the lines of any statement.

    >>> print("\\n".join(statement(ast.parse("def f(a: int=1): a, b = (b, a)").body[0])))
    def f(a: int = 1):
        a, b = b, a
    """
    if isinstance(tree, ast.ClassDef):
        bases = f"({', '.join(ast.unparse(base) for base in tree.bases)})" if tree.bases else ""
        return [*_decorators(tree, indent), f"{indent}class {tree.name}{bases}:", *_body(tree.body, indent + _STEP)]
    if isinstance(tree, ast.FunctionDef):
        return [*_decorators(tree, indent), *_head(tree, indent), *_body(tree.body, indent + _STEP)]
    if isinstance(tree, _BLOCKS):
        return _block(tree, indent)
    return _simple(tree, indent)


def _body(body: list[ast.stmt], indent: str) -> list[str]:
    """Return the lines of a body, with a blank line behind a class's docstring and between methods."""
    found: list[str] = []
    for i, part in enumerate(body):
        text = part.value.value if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) else None
        of_class = any(isinstance(other, ast.FunctionDef) for other in body)
        if found and of_class and (isinstance(part, ast.FunctionDef) or i == 1):
            found.append("")
        found += _docstring(text, indent) if isinstance(text, str) else statement(part, indent)
    return found


def _docstring(text: str, indent: str) -> list[str]:
    """Return a docstring unchanged, except for text that would end it and for lines that are too wide; those are
    wrapped with their continuation lines, indented by two.
    """
    first, *more = python_docstring(text).split("\n")
    lines_left = [f'{indent}"""{first}', *more]
    lines_left[-1] += '"""'
    found: list[str] = []
    while lines_left:
        line = lines_left.pop(0)
        if len(line) <= WIDTH:
            found.append(line)
            continue
        deeper = line[: len(line) - len(line.lstrip())] + "  "
        while lines_left and lines_left[0].startswith(deeper):
            line += f" {lines_left.pop(0).strip()}"
        top, *rest = wrapped(line.removesuffix('"""') if not lines_left else line, deeper[2:])
        found += [top, *(wrapped(" ".join(rest), deeper if found else deeper[2:]) if rest else [])]
        found += [] if lines_left or not line.endswith('"""') else [f'{indent}"""']
    return found


def _decorators(tree: ast.ClassDef | ast.FunctionDef, indent: str) -> list[str]:
    return [f"{indent}@{requoted(ast.unparse(decorator))}" for decorator in tree.decorator_list]


def _head(tree: ast.FunctionDef, indent: str) -> list[str]:
    returns = f" -> {ast.unparse(tree.returns)}" if tree.returns is not None else ""
    arguments = list(_arguments(tree.args))
    whole = f"{indent}def {tree.name}({', '.join(arguments)}){returns}:"
    if len(whole) <= WIDTH:
        return [whole]
    return [f"{indent}def {tree.name}(", *(f"{indent}{_STEP}{a}," for a in arguments), f"{indent}){returns}:"]


def _arguments(given: ast.arguments) -> Iterator[str]:
    plain = [*given.posonlyargs, *given.args]
    first = len(plain) - len(given.defaults)
    for i, argument in enumerate(plain):
        yield _argument(argument, given.defaults[i - first] if i >= first else None)
        if given.posonlyargs and i == len(given.posonlyargs) - 1:
            yield "/"
    if given.vararg is not None:
        yield f"*{_argument(given.vararg, None)}"
    elif given.kwonlyargs:
        yield "*"
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _argument(argument, default)
    if given.kwarg is not None:
        yield f"**{_argument(given.kwarg, None)}"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    text = argument.arg + (f": {ast.unparse(argument.annotation)}" if argument.annotation is not None else "")
    sign = " = " if argument.annotation is not None else "="
    return requoted(text + (f"{sign}{ast.unparse(default)}" if default is not None else ""))


def _block(tree: ast.If | ast.For | ast.While | ast.With, indent: str) -> list[str]:
    body, rest = tree.body, [] if isinstance(tree, ast.With) else tree.orelse
    bare = ast.parse(ast.unparse(tree)).body[0]
    assert isinstance(bare, _BLOCKS)
    bare.body = [ast.Pass()]
    if not isinstance(bare, ast.With):
        bare.orelse = []
    head = requoted(ast.unparse(bare)).removesuffix("\n    pass")
    found = [f"{indent}{head}", *_body(body, indent + _STEP)]
    if isinstance(tree, ast.If) and len(rest) == 1 and isinstance(rest[0], ast.If):
        first, *more = _block(rest[0], indent)
        return [*found, f"{indent}el{first.strip()}", *more]
    return [*found, f"{indent}else:", *_body(rest, indent + _STEP)] if rest else found


def _simple(tree: ast.stmt, indent: str) -> list[str]:
    """Return a simple statement, on one line where it fits."""
    before, value = "", None
    if isinstance(tree, ast.Assign):
        before = "".join(f"{ast.unparse(target).strip('()')} = " for target in tree.targets)
        value = tree.value
    elif isinstance(tree, ast.Return | ast.Expr):
        before, value = "return " if isinstance(tree, ast.Return) else "", tree.value
    elif isinstance(tree, ast.Raise) and tree.cause is None:
        before, value = "raise ", tree.exc
    if value is None:
        return [f"{indent}{line}" for line in requoted(ast.unparse(tree)).split("\n")]
    if isinstance(value, ast.Tuple) and len(value.elts) > 1 and not isinstance(tree, ast.Expr):
        row = f"{indent}{before}{requoted(', '.join(ast.unparse(item) for item in value.elts))}"
        if len(row) <= WIDTH:
            return [row]
    return lines(before, value, "", indent)
