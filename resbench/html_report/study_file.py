"""The row and trials of a study -> a study file that runs it again, and the commands for that. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resbench.escape import shell_line
from resbench.language.study.command_line import word_value
from resbench.language.yaml.node import flow, plain
from resbench.language.yaml.writer import yaml_text
from resbench.store.connection.transaction import shown
from resbench.store.open import Engine
from resbench.store.results.stored import StoredStudy

ORDER = ("doc", "cite", "network", "units", "data", "recipe", "search", "budget")
_WORD = re.compile(r" (?=[A-Za-z_][\w.]*=)")


def study_file(name: str, stored: StoredStudy, units: Sequence[str], recipe: str) -> str:
    """Return the YAML of a study.

    It has the study's own words where it searched or wrote units, else all that its row says, and units with the values in their
    names. `recipe`: the name it goes by.
    """
    seeds = list(stored.seeds)
    if stored.words is not None:
        words = {key: stored.words[key] for key in ORDER if key in stored.words} | dict(stored.words)
        return yaml_text({"study": name} | words | {"study": name, "seeds": seeds})
    fixed = stored.fixed
    head = {"study": name, "doc": stored.doc or None, "network": use_first(fixed.get("network"))}
    listed = ["units:", *dict.fromkeys(f"  - {flow(_unit(unit), strict=True)}" for unit in units), ""]
    rest = {
        "data": use_first(fixed.get("data")),
        "recipe": {"use": recipe, **fixed.get("recipe", {})},
        "seeds": seeds,
        "budget": {key: value for key, value in fixed.get("limits", {}).items() if value is not None} or None,
        "objectives": dict.fromkeys(fixed.get("objectives", ()), "minimize") or None,
        "race": fixed.get("race"),
        "paired": fixed.get("paired"),
    }
    return yaml_text(head) + "\n".join(listed) + yaml_text(rest)


def use_first(value: Any) -> Any:
    """Return a mapping with the key `use` first, as people write it."""
    if isinstance(value, dict) and "use" in value:
        return {"use": value["use"], **value}
    return value


def _unit(name: str) -> object:
    """`constant_scaling shortcut_scale=0.5` -> {use: constant_scaling, shortcut_scale: 0.5}.

    Values of the network and the recipe are dropped: the study searches them again, and they are not the unit's.
    """
    unit, *words = _WORD.split(name)
    pairs = [word.partition("=") for word in words]
    own = {
        key: plain(word_value(value, name)) for key, _, value in pairs if not key.startswith(("network.", "recipe."))
    }
    return {"use": unit, **own} if own else unit


def commands(engine: Engine, study: str, run_id: int) -> list[tuple[str, str]]:
    """Return commands with their descriptions. The address of a server is not shown, since the page may be passed on."""
    database = Path(shown(engine)).name if engine.dialect.name == "sqlite" else "URL"
    words_of = {
        "train the whole study again, from the file above": ["study", "run", f"{study}.yaml", "--db", "again.db"],
        "the ranking in this database": ["results", "top", study, "--db", database],
        "differences, with Holm over those named": ["results", "compare", study, "A", "B", "--db", database],
        "one run again, compared with the stored one": ["results", "repeat", str(run_id), "--db", database],
    }
    return [(what, shell_line(["resbench", *words])) for what, words in words_of.items()]
