"""The active plugins, all loaded -> what each one really provides, and what failed."""

from __future__ import annotations

from dataclasses import dataclass

from resbench.data.registry import names as data_names
from resbench.errors import Reason
from resbench.language.library.library import Library, shown
from resbench.measure.registry import metrics
from resbench.ops.initialisers import initialisers
from resbench.ops.registry import kinds
from resbench.ops.schema import table
from resbench.plugins.active import Active, active
from resbench.plugins.plugin import CODE, GROUPS, SPECS, Failure, Plugin
from resbench.plugins.spec_files import root_of
from resbench.study.trackers.registry import trackers
from resbench.theory.proxy import proxies


@dataclass(frozen=True, slots=True)
class Item:
    """A plugin with its usable names by group (`gives`) and its failures."""

    plugin: Plugin
    gives: dict[str, list[str]]
    failures: tuple[Failure, ...]

    @property
    def state(self) -> str:
        return "broken" if self.failures else "ok"

    @property
    def gives_text(self) -> str:
        return "; ".join(f"{group}: {', '.join(names)}" for group, names in self.gives.items())

    def as_json(self) -> dict[str, object]:
        problems = [{"what": f.what, "cause": f.cause, "trace": f.trace} for f in self.failures]
        plugin = {"name": self.plugin.name, "version": self.plugin.version or None, "from": self.plugin.where}
        return {**plugin, "gives": self.gives, "state": self.state, "problems": problems}


def inventory() -> list[Item]:
    """Load everything and return it. Failures are part of the result, so they are not printed on stderr."""
    state = active()
    state.report = lambda failure: None
    library = Library(table())
    there = {"ops": set(kinds()), "initialisers": set(initialisers()), "datasets": set(data_names()),
             "metrics": {*metrics(), *proxies()}, "trackers": set(trackers())}  # fmt: skip
    library.signature("")  # blocks and ops share their names
    _note_twice(state, library)
    found = []
    for plugin in state.plugins:
        _note_unknown_groups(state, plugin)
        gives = {group: _code(state, plugin, group, there[group]) for group in CODE}
        for group, kind in SPECS.items():
            if any(gift.group == group for gift in plugin.gives):
                gives[group] = sorted(library.files.of_root(root_of(plugin), kind))
        failures = tuple(failure for failure in state.failures if failure.plugin == plugin)
        found.append(Item(plugin, {group: names for group, names in gives.items() if names}, failures))
    return found


def _code(state: Active, plugin: Plugin, group: str, there: set[str]) -> list[str]:
    """Return the registered names that a plugin provides in a group. A declared name that is not registered is a failure."""
    names = []
    for (of, name), (owner, gift) in state.owners.items():
        if of != group or owner != plugin or (of, name) in state.clashes or (plugin.name, gift.target) in state.broken:
            continue
        if name in there:
            names.append(name)
        else:
            state.fail(plugin, gift, f"{group}: `{name}`", Reason(f"{gift.target} registers nothing of that name"))
    return sorted(names)


def _note_unknown_groups(state: Active, plugin: Plugin) -> None:
    for gift in plugin.gives:
        if gift.group not in GROUPS:
            known = ", ".join(f"resbench.{group}" for group in GROUPS)
            state.fail(
                plugin, gift, f"entry point `{gift.name}`", Reason(f"no group resbench.{gift.group}; groups: {known}")
            )


def _note_twice(state: Active, library: Library) -> None:
    """Note each name of a spec that two plugins, or a plugin and the library, provide. Its lookup is refused."""
    roots = {root_of(plugin): plugin for plugin in state.plugins}
    for level in library.files.levels:
        for kind in SPECS.values():
            for root in (root for root in level if root in roots):
                for name in library.files.of_root(root, kind):
                    paths = [path for each in level for path in library.files.of_root(each, kind).get(name, [])]
                    if len(paths) > 1:
                        both = " and ".join(shown(path) for path in paths)
                        state.fail(roots[root], None, f"{kind} `{name}`", Reason(f"is given twice: by {both}"))
