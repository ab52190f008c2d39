"""A name -> the file it stands for -> its spec.

Names resolve in the study's own folder, then in the workspace's `arch_specs/`, then in the installed library. A bare name
is found at any depth below the kind's folder; twice in one root is an error. A path ending in .yaml is that file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from resbench.errors import BadInput, Problem, SpecError, did_you_mean
from resbench.spec.check import Check
from resbench.spec.names import printable
from resbench.spec.network import NetworkSpec, parse_network
from resbench.spec.node import Node
from resbench.spec.oplist import Vocabulary
from resbench.spec.signature import Signature
from resbench.spec.unit import BlockSpec, UnitSpec, parse_block, parse_unit
from resbench.spec.yaml import read

FOLDERS = {"unit": "units", "block": "blocks", "network": "networks", "recipe": "recipes", "study": "studies"}
_PACKAGE = Path(__file__).parent.parent
# in a wheel the library lies inside the package, in a checkout beside it
INSTALLED = _PACKAGE / "library" / "arch_specs" if (_PACKAGE / "library").is_dir() else _PACKAGE.parent / "arch_specs"
STUDIES = INSTALLED.parent / "studies"
Spec = TypeVar("Spec")


def workspace() -> Path | None:
    """The nearest `arch_specs/` at or above the current folder."""
    here = Path.cwd()
    return next((p / "arch_specs" for p in (here, *here.parents) if (p / "arch_specs").is_dir()), None)


class Library:
    """Loads each file once. `ops` is the table of op signatures; `folder` a study's own, looked in first."""

    def __init__(self, ops: Mapping[str, Signature], folder: Path | None = None) -> None:
        roots = [folder, workspace(), INSTALLED]
        self.ops = ops
        self.folder = folder or Path.cwd()
        self.roots = tuple(dict.fromkeys(root.resolve() for root in roots if root is not None))
        self._specs: dict[Path, UnitSpec | BlockSpec | NetworkSpec] = {}
        self._loading: list[Path] = []

    def unit(self, name: str) -> UnitSpec:
        return self._load("unit", name, parse_unit)

    def block(self, name: str) -> BlockSpec:
        return self._load("block", name, parse_block)

    def network(self, name: str) -> NetworkSpec:
        return self._load("network", name, parse_network)

    def op_names(self) -> list[str]:
        return [*self.ops, *(name for name in self.names("block") if name not in self.ops)]

    def signature(self, name: str) -> Signature | None:
        """An op's or a block's; both share one namespace. Raises SpecError for a name that both bear."""
        block = self.candidates("block", name)
        if name in self.ops:
            if block:
                message = f"block `{name}` bears the name of a built-in op (resbench.ops, {self.ops[name].origin})"
                raise SpecError([Problem(f"{shown(block[0])}: {message}")])
            return self.ops[name]
        return self.block(name).signature if block else None

    def names(self, kind: str) -> list[str]:
        """Every bare name of a kind, sorted."""
        return sorted({path.stem for root in self.roots for path in (root / FOLDERS[kind]).rglob("*.yaml")})

    def files(self, kind: str) -> list[Path]:
        """Every file of a kind that its name finds, nearest root first."""
        return [self.find(kind, name) for name in self.names(kind)]

    def candidates(self, kind: str, name: str) -> list[Path]:
        """The files of the nearest root that has any."""
        if not name.replace("_", "a").isalnum():
            return []
        for root in self.roots:
            found = sorted((root / FOLDERS[kind]).rglob(f"{name}.yaml"))
            beside = root / f"{name}.yaml"
            if not found and root == self.folder.resolve() and beside.is_file() and _kind_of(beside) == kind:
                found = [beside]
            if found:
                return found
        return []

    def find(self, kind: str, name: str) -> Path:
        """The file of a name. Raises BadInput: unknown (with the nearest names) or found twice in one root."""
        if name.endswith((".yaml", ".yml")):
            beside = self.folder / name
            return beside if beside.is_file() else Path(name)
        found = self.candidates(kind, name.rpartition("/")[2])
        if "/" in name:  # identity_mappings/original, or units/identity_mappings/original
            tail = name.removeprefix(f"{FOLDERS[kind]}/")
            found = [path for root in self.roots if (path := root / FOLDERS[kind] / f"{tail}.yaml").is_file()][:1]
        if not found:
            known = self.names(kind)
            raise BadInput(
                f"no {kind} is called `{printable(name)}`{did_you_mean(name, known)} "
                f"({FOLDERS[kind]}: {', '.join(known) or 'none'}; or a path ending in .yaml)"
            )
        if len(found) > 1:
            raise BadInput(f"{kind} `{name}` is found twice: {', '.join(shown(path) for path in found)}")
        return found[0]

    def glob(self, kind: str, pattern: str) -> list[str]:
        """Names for a pattern such as `units/identity_mappings/*`; `*` does not descend. The nearest root that has any."""
        for root in self.roots:
            found = sorted(root.glob(f"{pattern.removesuffix('.yaml')}.yaml"))
            if found:
                return [str(path.relative_to(root / FOLDERS[kind]).with_suffix("")) for path in found]
        raise BadInput(f"`{printable(pattern)}` matches no file in {', '.join(shown(root) for root in self.roots)}")

    def read(self, kind: str, path: Path) -> Node:
        """The file's data, its parents merged in. Raises SpecError when it is of another kind."""
        return _extended(read(path, shown(path)), kind, self, (path,))

    def _load(self, kind: str, name: str, parse: Callable[[Node, Vocabulary, Check], Spec]) -> Spec:
        path = self.find(kind, name).resolve()
        if path in self._loading:
            chain = " <- ".join(p.stem for p in [*self._loading[self._loading.index(path) :], path])
            raise SpecError([Problem(f"{shown(path)}: a block may not contain itself: {chain}")])
        if path not in self._specs:
            self._loading.append(path)
            try:
                check = Check()
                spec = parse(self.read(kind, path), self, check)
                check.done()
            finally:
                self._loading.pop()
            self._specs[path] = spec  # type: ignore[assignment]
        return self._specs[path]  # type: ignore[return-value]


def _extended(node: Node, kind: str, library: Library, chain: tuple[Path, ...]) -> Node:
    first = next(iter(node.mapping), "")
    if first != kind:
        what = f"a {first}" if first in FOLDERS else f"`{printable(first)}` first"
        raise SpecError(
            [node.key_problem(first, f"a file whose first key is `{kind}:` is needed, this one has {what}")]
        )
    if "extends" not in node.mapping:
        return node
    name = node.mapping["extends"]
    try:
        path = library.find(kind, str(name.value)).resolve()
    except BadInput as error:
        raise SpecError([name.problem(str(error))]) from None
    if path in chain:
        raise SpecError([name.problem(f"extends itself: {' <- '.join(p.stem for p in (*chain, path))}")])
    parent = _extended(read(path, shown(path)), kind, library, (*chain, path))
    rest = {key: value for key, value in node.mapping.items() if key != "extends"}
    return merge(parent, Node(rest, node.place, node.path, node.keys), tagged=kind == "recipe")


def merge(parent: Node, child: Node, *, tagged: bool = False) -> Node:
    """Mappings merge, everything else replaces. `tagged`: of two mappings with one key each, another key replaces,
    since such a mapping is a choice (`for: {epochs: 1}` instead of `for: {iterations: 400}`).
    """
    if not isinstance(parent.value, dict) or not isinstance(child.value, dict):
        return child
    if tagged and len(parent.value) == len(child.value) == 1 and list(parent.value) != list(child.value):
        return child
    entries = dict(parent.value)
    for key, value in child.value.items():
        entries[key] = merge(entries[key], value, tagged=tagged) if key in entries else value
    return Node(entries, child.place, child.path, {**parent.keys, **child.keys})


def shown(path: Path) -> str:
    """A path as messages show it: relative to the current folder where it lies below, inside the library by its name."""
    path = path.absolute()
    for base, prefix in ((Path.cwd(), ""), (INSTALLED.parent, "library/")):
        if path.is_relative_to(base):
            return prefix + str(path.relative_to(base))
    return printable(str(path), 200)


def _kind_of(path: Path) -> str:
    """A cheap look at a file's first key."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.strip() and not line.startswith(("#", "---")):
                return line.partition(":")[0].strip()
    return ""
