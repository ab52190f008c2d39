"""Sources by path (`{"files.py": text}`) -> what breaks a house rule, one line each; test_architecture.py holds them."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

import networkx

ROOMS = (
    "did_you_mean", "errors", "escape", "files",
    "random_streams", "failpoints", "language", "ops", "compiler", "measure", "verify", "data",
    "train", "theory", "statistics", "store", "evidence", "search", "workers", "study", "drawing", "json_schema",
    "results", "figures", "html_report", "api", "cli",
)  # fmt: skip
BESIDE = {"plugins": "ops", "testing": "cli", "tabular": "html_report", "plugin": "cli", "__main__": "cli"}
DOORS = {  # who may import it; a folder with all in it, or one file
    "yaml": ("language/",),
    "optuna": ("search/", "study/", "store/optuna/storage.py"),
    "typer": ("cli/",),
    "rich": ("cli/", "figures/terminal_curves.py"),
    "matplotlib": ("drawing/", "figures/"),
    "jinja2": ("html_report/",),
    "optuna_dashboard": ("study/",),
    "ray": ("workers/executors/ray.py",),
    "tensorboard": ("study/trackers/tensorboard.py",),
    "mlflow": ("study/trackers/mlflow.py",),
    "wandb": ("study/trackers/wandb.py",),
    "sqlalchemy": ("store/",),
    "alembic": ("store/",),
}
WITHOUT_TORCH = (
    "language/", "statistics/", "evidence/", "store/", "did_you_mean.py",
    "errors.py", "escape.py", "files.py", "random_streams.py",
    "failpoints.py",
)  # fmt: skip
PRINTING = frozenset((  # by these calls, in these files alone: whoever prints elsewhere would print what strangers wrote as it is
    "print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write", "sys.stdout.writelines",
    "sys.stderr.writelines", "sys.stdout.buffer.write", "sys.stderr.buffer.write",
))  # fmt: skip
PRINTERS = (
    "cli/echo.py",
    "cli/progress.py",
    "workers/executors/ray.py",
    "data/make/command.py",
    "store/query/child.py",
)
_PARAMETERS = frozenset(("conv", "linear", "bias", "gain"))
OTHER_WORDS = {  # words that are names of ops too, by the file or folder that means something else by them, and what
    "ops/": _PARAMETERS,  # kinds of parameters, for weight decay and initialisers, and names of parameters and arguments
    "ops/stochastic/drop_branch.py": frozenset(("scale",)),  # an argument of its own
    "language/recipe/recipe.py": _PARAMETERS,
    "drawing/labels.py": frozenset(("conv", "linear")),  # kinds of parameters, for an op that says no role
    "cli/plugins/check.py": frozenset(("conv", "linear")),
    "theory/identities.py": frozenset(("gain",)),
    "theory/equation.py": frozenset(("bias",)),  # an argument, of whatever op
    "verify/weights.py": frozenset(("bias",)),  # a parameter of torch's layers
    "verify/randomness.py": frozenset(("dropout",)),  # classes of torch and of other packages
    "measure/macs.py": frozenset(("slice", "hardswish")),  # operations of aten
    "language/recipe/schedule.py": frozenset(("linear",)),  # shapes of a schedule
    "study/warnings.py": frozenset(("linear",)),
    "train/schedule.py": frozenset(("linear",)),
    "json_schema/descriptions.py": frozenset(("linear", "scale")),  # and an argument of a crop
    # The language: `around: add` is its word for the place between branch and shortcut, and `arrange` and `mutate` write units,
    # as a person would, from words that stand in the reference. They ask no op what it is.
    "language/generate/orderings.py": frozenset(("add",)),
    "json_schema/search.py": frozenset(("add",)),
    "language/generate/mutations.py": frozenset(("bn", "relu")),
    "testing/guess.py": frozenset(("relu",)),  # an argument to try an op with that holds ops
    "store/migrate/versions/": frozenset(
        ("global_avg_pool", "conv", "linear")
    ),  # history: what it did it does for ever
}
ESCAPERS = frozenset(("html", "shlex", "xml.sax.saxutils"))
OF_FILES = ("params", "settings", "changes")  # arguments of the Python door whose names a YAML file or a data set says
MAX_LINES = 400
MAX_POSITIONAL = 5
MAX_FILES = 15
Sources = Mapping[str, str]


@cache
def parsed(source: str) -> ast.Module:
    """Read a file once for all rules."""
    return ast.parse(source)


def imports(path: str, source: str) -> Iterator[tuple[int, str]]:
    """Every import of a file, wherever it stands (in a function, under TYPE_CHECKING): line, dotted name.

    `from a import b` gives `a.b`: whether b is a module is for the reader to find out.
    """
    package = ["resbench", *path.split("/")[:-1]]
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def room(name: str) -> str:
    return BESIDE.get(name, name)


def out_of_order(house: Sources) -> list[str]:
    """Imports of a room to the right of one's own, and rooms that have no place in the order."""
    found = []
    for path, source in house.items():
        own = room(path.split("/")[0].removesuffix(".py"))
        if own in ("__init__", "old_paths"):
            found += [
                f"{path}:{line}: {name}"
                for line, name in imports(path, _at_runtime(source))
                if name.startswith("resbench") and name != "resbench.old_paths"
            ]
            continue
        if own not in ROOMS:
            found.append(f"{path}: no such room")
            continue
        for line, name in imports(path, source):
            parts = name.split(".")
            if parts[0] != "resbench" or len(parts) < 2 or parts[1] == "__version__":
                continue
            other = room(parts[1])
            if other not in ROOMS or ROOMS.index(other) > ROOMS.index(own):
                found.append(f"{path}:{line}: {own} may not import {other}")
    return found


def _at_runtime(source: str) -> str:
    """The source without what stands under `if TYPE_CHECKING:`, which names types and imports nothing."""
    tree = ast.parse(source)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return ast.unparse(tree)


def through_walls(house: Sources) -> list[str]:
    """Imports of a library outside of the room that is its door, and of torch where there is none."""
    found = []
    for path, source in house.items():
        for line, name in imports(path, source):
            library = name.split(".")[0]
            doors = DOORS.get(library)
            if doors is not None and not path.startswith(doors):
                found.append(f"{path}:{line}: {library}")
            if library in ("torch", "torchvision") and path.startswith(WITHOUT_TORCH):
                found.append(f"{path}:{line}: {library}")
    return found


def cycles(house: Sources) -> list[str]:
    """Files that import each other, in a ring; imports inside functions count."""
    names = {module_of(path): path for path in house}
    graph = networkx.DiGraph()
    for path, source in house.items():
        for _, name in imports(path, _at_runtime(source) if path == "__init__.py" else source):
            target = name if name in names else name.rpartition(".")[0]
            if target in names and target != module_of(path):
                graph.add_edge(module_of(path), target)
    return sorted(" -> ".join(sorted(ring)) for ring in networkx.strongly_connected_components(graph) if len(ring) > 1)


def module_of(path: str) -> str:
    return ".".join(["resbench", *path.removesuffix(".py").removesuffix("/__init__").split("/")]).removesuffix(
        ".__init__"
    )


def too_long(house: Sources) -> list[str]:
    return [path for path, source in house.items() if len(source.splitlines()) > MAX_LINES]


def without_docstring(house: Sources) -> list[str]:
    return [path for path, source in house.items() if not (ast.get_docstring(parsed(source)) or "").strip()]


def too_many_arguments(house: Sources) -> list[str]:
    """More than five that may be given by position, `self` not counted; those that are given by name say what they are.

    The options of commands are not counted: they are what a person types.
    """
    found = []
    for path, source in house.items():
        for node in functions(source):
            given = [*node.args.posonlyargs, *node.args.args]
            names = [argument.arg for argument in given if argument.arg not in ("self", "cls")]
            if len(names) > MAX_POSITIONAL and not (path.startswith("cli/") and is_command(node)):
                found.append(f"{path}:{node.lineno}: {node.name} takes {len(names)}")
    return found


def crowded_folders(house: Sources) -> list[str]:
    """Folders of more than fifteen files, `__init__.py` not counted."""
    count = Counter(path.rpartition("/")[0] for path in house if not path.endswith("__init__.py"))
    return [f"{folder or '.'}: {number} files" for folder, number in sorted(count.items()) if number > MAX_FILES]


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """`@app.command()` above it, or (registered in main.py) an option of the command line among its annotations."""
    written = [
        ast.unparse(part) for part in (*node.decorator_list, *(a.annotation for a in node.args.args if a.annotation))
    ]
    return any("app.command" in text or "typer." in text for text in written)


def frowned_upon(house: Sources) -> list[str]:
    """`**kwargs` (but `**params` of the Python door: params of a YAML file, `depth=56`, which no signature can list), `hasattr`,
    `eval` and `exec`; a pickle that is read, by `pickle` or by `torch.load` without `weights_only`."""
    found = []
    for path, source in house.items():
        for node in functions(source):
            if node.args.kwarg is not None and not (path.startswith("api/") and node.args.kwarg.arg in OF_FILES):
                found.append(f"{path}:{node.lineno}: **{node.args.kwarg.arg}")
        for node in ast.walk(parsed(source)):
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if called in ("hasattr", "eval", "exec"):
                found.append(f"{path}:{node.lineno}: {called}")
            if isinstance(node, ast.Call) and is_pickle(node):
                found.append(f"{path}:{node.lineno}: a pickle")
    return found


def is_pickle(call: ast.Call) -> bool:
    only_weights = any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords)
    return ast.unparse(call.func) in ("torch.load", "pickle.load", "pickle.loads") and not only_weights


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(parsed(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def opened_elsewhere(house: Sources) -> list[str]:
    """SQLite files that are opened past `store/connection/sqlite_open.py`, which makes SQLite trust nothing in them."""
    return [
        f"{path}:{node.lineno}: {ast.unparse(node.func)}"
        for path, source in house.items()
        if path != "store/connection/sqlite_open.py"
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sqlite3.connect", "sqlite3.Connection")
    ]


def past_the_terminal(house: Sources) -> list[str]:
    """Lines that are printed without `escape` having seen them."""
    return [
        f"{path}:{node.lineno}: {ast.unparse(node.func)}"
        for path, source in house.items()
        if path not in PRINTERS
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PRINTING
    ]


def escaped_elsewhere(house: Sources) -> list[str]:
    """Other means of writing a text for a format than `escape`, and what else than Python's own modules that imports."""
    found = []
    for path, source in house.items():
        for line, name in imports(path, source):
            library = name.split(".")[0]
            if path == "escape.py" and library not in sys.stdlib_module_names:
                found.append(f"{path}:{line}: {library}")
            if path != "escape.py" and (name in ESCAPERS or name.rpartition(".")[0] in ESCAPERS):
                found.append(f"{path}:{line}: {name}")
    return found


def named_twice(house: Sources) -> list[str]:
    """Public classes of one name in two files: a reader would take one for the other."""
    homes: dict[str, list[str]] = {}
    for path, source in house.items():
        for node in parsed(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(path)
    return [f"{name}: {', '.join(paths)}" for name, paths in sorted(homes.items()) if len(paths) > 1]


def crowded_ops(house: Sources) -> list[str]:
    """Files of ops/ that register more than one op, or one under another name than their own."""
    found = []
    for path, source in house.items():
        names = [name for name in map(registered, ast.walk(parsed(source))) if name] if path.startswith("ops/") else []
        if len(names) > 1 or any(f"{name}.py" != path.rpartition("/")[2] for name in names):
            found.append(f"{path}: {', '.join(names)}")
    return found


def known_by_name(house: Sources) -> list[str]:
    """Names of ops in the code of others: what is to know of an op it says itself, so that a plugin's op can say it too.

    Any text that is the name of an op, or of one with its version (`zero@1`), is seen, compared or not. `OTHER_WORDS` has those
    that mean something else; one of them that is not there any more is seen too.
    """
    ops = {name for path, source in house.items() if path.startswith("ops/")
           for name in map(registered, ast.walk(parsed(source))) if name}  # fmt: skip
    found = []
    for path, source in house.items():
        named = [
            (node.lineno, node.value.partition("@")[0])
            for node in ast.walk(parsed(source))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.partition("@")[0] in ops
        ]
        others = frozenset().union(*(words for place, words in OTHER_WORDS.items() if path.startswith(place)))
        found += [
            f"{path}:{line}: {name}"
            for line, name in named
            if not (path.startswith("ops/") and path.endswith(f"/{name}.py")) and name not in others
        ]
        idle = OTHER_WORDS.get(path, frozenset()) - {name for _, name in named}
        found += [f"OTHER_WORDS: {path} has no `{word}`" for word in sorted(idle)]
    return found


def registered(node: ast.AST) -> str | None:
    """The name under which a class is registered with `@op("name")`."""
    for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "op":
            return str(ast.literal_eval(decorator.args[0]))
    return None
