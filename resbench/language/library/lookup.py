"""A name of a kind -> the file it stands for.

Names resolve in the study's own folder, then in the workspace's `arch_specs/`, then in plugins and the installed library. A
bare name is found at any depth below the kind's folder; two matches in one root, or in a plugin and the
installed library, are an error. A path ending in .yaml means that file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from resbench.did_you_mean import did_you_mean
from resbench.errors import BadInput
from resbench.escape import printable
from resbench.language.library.providers import Provider
from resbench.language.names import why_not
from resbench.language.yaml.problems import listed

FOLDERS = {"unit": "units", "block": "blocks", "network": "networks", "recipe": "recipes", "study": "studies"}
_PACKAGE = Path(__file__).parents[2]
# in a wheel the library lies inside the package, in a checkout beside it
INSTALLED = _PACKAGE / "library" / "arch_specs" if (_PACKAGE / "library").is_dir() else _PACKAGE.parent / "arch_specs"
STUDIES = INSTALLED.parent / "studies"
MAX_FOLDERS = 10  # inside each other
_HEAD = 4096  # bytes that are read to determine the kind of a file


def workspace() -> Path | None:
    """Return the nearest `arch_specs/` at or above the current folder."""
    here = Path.cwd()
    return next((p / "arch_specs" for p in (here, *here.parents) if (p / "arch_specs").is_dir()), None)


@dataclass(slots=True)
class SearchPath:
    """The roots that are searched; `folder` is a study's own, searched first; each root is listed once. The first of
    `levels` that has a name wins.
    """

    folder: Path
    levels: tuple[tuple[Path, ...], ...]
    provider: Provider
    listed: dict[tuple[Path, str], dict[str, list[Path]]] = field(default_factory=dict)

    @staticmethod
    def around(folder: Path | None, provider: Provider) -> SearchPath:
        """Return the search path from the current folder and a study's own."""
        levels: list[tuple[Path, ...]] = []
        for paths in ([folder], [workspace()], [*provider.roots(), INSTALLED]):
            before = [root for level in levels for root in level]
            roots = dict.fromkeys(path.resolve() if exists(path) else path for path in paths if path is not None)
            levels.append(tuple(root for root in roots if root not in before))
        return SearchPath(folder or Path.cwd(), tuple(levels), provider)

    @property
    def roots(self) -> tuple[Path, ...]:
        return tuple(root for level in self.levels for root in level)

    def names(self, kind: str) -> list[str]:
        """Return every bare name of a kind, sorted."""
        return sorted({name for root in self.roots for name in self.of_root(root, kind)})

    def of_root(self, root: Path, kind: str) -> dict[str, list[Path]]:
        """Return the files of a kind in one root by their bare names; a file without a legal name is skipped."""
        if (root, kind) not in self.listed and root in self.provider.roots():
            self.listed[root, kind] = dict(self.provider.files(root, kind))
        elif (root, kind) not in self.listed:
            found: dict[str, list[Path]] = {}
            for path in sorted(_base(root, kind).rglob("*.yaml")):
                if why_not(path.stem) is None:
                    found.setdefault(path.stem, []).append(path)
            self.listed[root, kind] = found
        return self.listed[root, kind]

    def candidates(self, kind: str, name: str) -> list[Path]:
        """Return the matching files of the nearest roots that have any."""
        if why_not(name) is not None:
            return []
        for level in self.levels:
            if found := [path for root in level for path in self.of_root(root, kind).get(name, [])]:
                return found
            beside = self.folder.resolve() / f"{name}.yaml"
            if beside.parent in level and beside.is_file() and kind_of(beside) == kind:
                return [beside]
        return []

    def find(self, kind: str, name: str) -> Path:
        """Return the file of a name. Raise BadInput for an unknown name (with the nearest ones) or one found twice in a root."""
        if name.endswith((".yaml", ".yml")):
            return self._path(name)
        found = self.candidates(kind, name)
        if "/" in name:  # identity_mappings/original, or units/identity_mappings/original
            tail = _below(kind, name)
            paths = [_base(root, kind) / f"{tail}.yaml" for root in self.roots] if tail else []
            found = [path for path in paths if exists(path) and path.is_file()][:1]
        if not found:
            self.provider.check(FOLDERS[kind], name)
            known = self.names(kind)
            reason = None if "/" in name else why_not(name)
            others = [other for other in FOLDERS if other not in (kind, "study") and self.candidates(other, name)]
            if others:
                raise BadInput(
                    f"`{printable(name)}` is a {others[0]}; a {kind} is needed ({FOLDERS[kind]}: {listed(known)})"
                )
            raise BadInput(
                f"{reason or f'no {kind} is called `{printable(name)}`'}{did_you_mean(name.rpartition('/')[2], known)} "
                f"({FOLDERS[kind]}: {listed(known)}; or a path ending in .yaml)"
            )
        if len(found) > 1:
            raise BadInput(f"{kind} `{name}` is found twice: {', '.join(shown(path) for path in found)}")
        return found[0]

    def _path(self, name: str) -> Path:
        for path in (self.folder / name, Path(name)):
            if exists(path):
                return path
        raise BadInput(f"{printable(name, 200)}: no such file")

    def glob(self, kind: str, pattern: str) -> list[str]:
        """Return the names that match a pattern such as `units/identity_mappings/*`, from the nearest root that has
        any; `*` does not descend.
        """
        tail = _below(kind, pattern.removesuffix(".yaml"))
        if tail is None or "**" in tail:
            raise BadInput(
                f"`{printable(pattern)}`: a pattern is written {FOLDERS[kind]}/FOLDER/*, and * does not descend"
            )
        for root in self.roots:
            base = _base(root, kind)
            found = sorted(base.glob(f"{tail}.yaml")) if exists(base) else []
            if found:
                return [str(path.relative_to(base).with_suffix("")) for path in found]
        raise BadInput(f"`{printable(pattern)}` matches no file in {', '.join(shown(root) for root in self.roots)}")


def shown(path: Path) -> str:
    """Return a path as messages show it: relative to the current folder where it is below it, inside the library by its name."""
    path = path.absolute()
    for base, prefix in ((Path.cwd(), ""), (INSTALLED.parent, "library/")):
        if path.is_relative_to(base):
            return printable(prefix + str(path.relative_to(base)), 200)
    return printable(str(path), 200)


def _base(root: Path, kind: str) -> Path:
    """Return a kind's folder in a root; studies are beside the workspace's or library's `arch_specs/`, not in it."""
    return (root.parent if kind == "study" and root.name == "arch_specs" else root) / FOLDERS[kind]


def _below(kind: str, name: str) -> str | None:
    """Return the name within the kind's folder; None for one that leads out of it, or too far down."""
    tail = name.removeprefix(f"{FOLDERS[kind]}/")
    legal = not tail.startswith("/") and ".." not in tail.split("/") and "\x00" not in tail
    return tail if legal and tail.count("/") < MAX_FOLDERS else None


def at_home(name: str | Path) -> Path:
    """Return the path with a leading `~` or `~user` expanded; like a shell, leave it unchanged where the system knows
    no such home.
    """
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def exists(path: Path) -> bool:
    """Return whether the path exists; a path that the system rejects does not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, in an unreadable folder; NUL
        return False


def is_folder(path: Path) -> bool:
    """Return whether the path is a folder; a path that the system rejects is not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def kind_of(beside: Path) -> str:
    """Return the kind of a file from its first key, without parsing it."""
    try:
        with beside.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8-sig", "replace")
    except OSError:
        return ""
    lines = (line for line in head.splitlines() if line.strip() and not line.startswith(("#", "---", "%")))
    return next(lines, "").partition(":")[0].strip()
