"""Names -> specs: each file is found, merged with its parents, checked and loaded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from resbench.errors import BadInput, Place, Problem, SpecError
from resbench.escape import printable
from resbench.language.graph.network import NetworkSpec, parse_network
from resbench.language.graph.op_list import Vocabulary, taken_by
from resbench.language.graph.signature import Signature
from resbench.language.graph.unit import BlockSpec, UnitSpec, parse_block, parse_unit
from resbench.language.library.inheritance import merge
from resbench.language.library.lookup import FOLDERS, SearchPath
from resbench.language.library.lookup import STUDIES as STUDIES
from resbench.language.library.lookup import shown as shown
from resbench.language.library.lookup import workspace as workspace
from resbench.language.library.providers import provided
from resbench.language.yaml.node import Node, plain
from resbench.language.yaml.problems import Problems, by_place
from resbench.language.yaml.reader import read

MAX_CHAIN = 20  # files that extend each other, and blocks inside blocks
Spec = TypeVar("Spec")


class Library:
    """A library of specs that loads each file once. `ops` is the table of op signatures; `folder` is the study's own,
    searched first.
    """

    def __init__(self, ops: Mapping[str, Signature], folder: Path | None = None) -> None:
        self.ops = dict(ops)
        self.provider = provided()
        self.files = SearchPath.around(folder, self.provider)
        self._blocks_checked = False
        self._specs: dict[Path, UnitSpec | BlockSpec | NetworkSpec] = {}
        self._failed: dict[Path, SpecError] = {}
        self._loading: list[Path] = []
        self._added: dict[str, UnitSpec] = {}

    def unit(self, name: str) -> UnitSpec:
        return self._added.get(name) or self._load("unit", name, parse_unit)

    def add_unit(self, top: Node) -> str:
        """Add a unit that a study defines itself, and return its name. Raise SpecError for anything that no file could
        hold either.
        """
        check = Problems()
        unit = parse_unit(top, self, check)
        if self.files.candidates("unit", unit.name):
            check.report(top, f"a unit called `{unit.name}` is written here, and the library has another of that name")
        check.done()
        existing = self._added.setdefault(unit.name, unit)
        if _without_doc(existing.node) != _without_doc(top):
            check.report(
                top, f"two different units are called `{unit.name}`; they differ in `rules`, `change` or arguments"
            )
        check.done()
        return unit.name

    def is_added(self, name: str) -> bool:
        """Return whether a study defined the unit itself."""
        return name in self._added

    def block(self, name: str) -> BlockSpec:
        return self._load("block", name, parse_block)

    def network(self, name: str) -> NetworkSpec:
        return self._load("network", name, self._parse_network)

    def op_names(self) -> list[str]:
        return [*self.ops, *self.names("block")]

    def signature(self, name: str) -> Signature | None:
        """Return the signature of an op or a block; both share one namespace. Raise BadInput for a block whose name or
        file is wrong, PluginError for an op of a plugin that cannot be used.
        """
        self._check_blocks()
        if name in self.ops:
            return self.ops[name]
        if self.files.candidates("block", name):
            return self.block(name).signature
        self.provider.check("ops", name)
        return None

    def names(self, kind: str) -> list[str]:
        """Return every bare name of a kind, sorted."""
        return self.files.names(kind)

    def find(self, kind: str, name: str) -> Path:
        return self.files.find(kind, name)

    def glob(self, kind: str, pattern: str) -> list[str]:
        return self.files.glob(kind, pattern)

    def read(self, kind: str, path: Path, check: Problems | None = None) -> Node:
        """Return the file's data, merged with its parents'. Raise SpecError when it is of another kind.

        With `check`, problems that leave data to read are reported there instead.
        """
        return self._extended(kind, (self._real(path),), check)

    def _load(self, kind: str, name: str, parse: Callable[[Node, Vocabulary, Problems], Spec]) -> Spec:
        path = self._real(self.find(kind, name))
        if path in self._loading:
            chain = " <- ".join(p.stem for p in [*self._loading[self._loading.index(path) :], path])
            raise BadInput(f"a block may not contain itself: {chain}")
        if len(self._loading) > MAX_CHAIN:
            raise BadInput(f"blocks inside blocks, more than {MAX_CHAIN} deep")
        if path in self._failed:
            raise self._failed[path]
        if path not in self._specs:
            self._loading.append(path)
            try:
                self._specs[path] = self._parsed(kind, path, parse)  # type: ignore[assignment]
            except SpecError as error:
                self._failed[path] = error
                raise
            finally:
                self._loading.pop()
        return self._specs[path]  # type: ignore[return-value]

    def _parsed(self, kind: str, path: Path, parse: Callable[[Node, Vocabulary, Problems], Spec]) -> Spec:
        check = Problems()
        try:
            spec = parse(self.read(kind, path, check), self, check)
        except SpecError as error:
            raise SpecError(sorted(dict.fromkeys([*check.problems, *error.problems]), key=by_place)) from None
        check.done()
        return spec

    def _parse_network(self, top: Node, vocabulary: Vocabulary, check: Problems) -> NetworkSpec:
        """Return a network whose units can be found."""
        spec = parse_network(top, vocabulary, check)
        for use in (spec.unit, *(stage.unit for stage in spec.stages)):
            if use is not None and use.name is not None:
                try:
                    self.find("unit", use.name)
                except BadInput as error:
                    check.report(use.node, str(error))
        return spec

    def _check_blocks(self) -> None:
        """Raise SpecError for blocks with the name of an op. Where one of the two is a plugin's, the plugin loses it."""
        if self._blocks_checked:
            return
        check = Problems()
        for root in self.files.roots:
            of_plugin = root in self.provider.roots()
            for name, paths in list(self.files.of_root(root, "block").items()):
                if not of_plugin and name in self.ops and self.provider.yields(name, shown(paths[0])):
                    del self.ops[name]
                reason = taken_by(name, self.ops)
                if reason is not None and of_plugin:
                    self.provider.refuse(root, name, f"a block cannot have this name: {reason}")
                    del self.files.of_root(root, "block")[name]
                elif reason is not None:
                    place = Place(shown(paths[0]), 1, 1)
                    check.add(Problem(f"a block cannot be called `{name}`: {reason}", "", place))
        check.done()
        self._blocks_checked = True

    def _extended(self, kind: str, chain: tuple[Path, ...], check: Problems | None) -> Node:
        """Return the last file of the chain over its parents; each file of the chain extends the next."""
        node = self.provider.node(chain[-1]) or read(chain[-1], shown(chain[-1]), check)
        first = next(iter(node.mapping))
        if first != kind:
            what = f"a {first}" if first in FOLDERS else f"`{printable(first)}` first"
            message = f"a file whose first key is `{kind}:` is needed, this one has {what}"
            raise SpecError([node.key_problem(first, message)])
        if "extends" not in node.mapping:
            return node
        path = self._real(self._parent(kind, node.mapping["extends"]))
        problem = node.mapping["extends"].problem
        if path in chain:
            raise SpecError([problem(f"extends itself: {' <- '.join(p.stem for p in (*chain, path))}")])
        if len(chain) > MAX_CHAIN:
            raise SpecError([problem(f"more than {MAX_CHAIN} files extend each other")])
        parent = self._extended(kind, (*chain, path), check)
        rest = {key: value for key, value in node.mapping.items() if key != "extends"}
        return merge(parent, Node(rest, node.place, node.path, node.keys), tagged=kind == "recipe")

    def _parent(self, kind: str, name: Node) -> Path:
        if not isinstance(name.value, str):
            raise SpecError([name.problem(f"a name is needed, got {name.shown()}")])
        try:
            return self.find(kind, name.value)
        except BadInput as error:
            raise SpecError([name.problem(str(error))]) from None

    def _real(self, path: Path) -> Path:
        """Follow links; a path whose links form a loop stays as it is, and cannot be read. A path that is not a file
        stays too.
        """
        try:
            return path if self.provider.node(path) is not None else path.resolve()
        except (OSError, RuntimeError):
            return path


def _without_doc(top: Node) -> object:
    return plain(Node({key: value for key, value in top.mapping.items() if key != "doc"}))
