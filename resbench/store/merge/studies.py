"""Merge the studies of one database into another by name: units, seeds, trials, looks at test scores and notes are united.

Two studies are the same if their fixed settings have the same meaning; see language/study/same_study.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from resbench.errors import BadInput
from resbench.language.study.design import MIN_SEEDS
from resbench.language.study.same_study import differences
from resbench.store.merge.catalogue import insert_all
from resbench.store.merge.conflicts import Conflict, MergeReport
from resbench.store.merge.notes import merge_study_notes
from resbench.store.records import canonical_json
from resbench.store.results.spec_parts import parse_study
from resbench.store.schema.tables import rb_study, rb_study_run, rb_trial

Ids = Mapping[int, int]
_SHOWN = 3


def merge_studies(source: Connection, into: Connection, runs: Ids, merged: MergeReport, *, rename: bool) -> None:
    """Merge the studies. Raises BadInput, with every different study of the same name, unless `rename` is true."""
    there = {row["name"]: row for row in into.execute(select(rb_study)).mappings()}
    others = list(source.execute(select(rb_study).order_by(rb_study.c.id)).mappings())
    clashes = [text for row in others if (text := _differences(there.get(row["name"]), row))]
    if clashes and not rename:
        raise BadInput(
            f"{merged.source}: has a different study of the same name, so nothing was merged: {'; '.join(clashes)}. "
            "--rename adds it with a number after its name"
        )
    for row in others:
        name = _free_name(row, there)
        if name != row["name"]:
            merged.studies_renamed[row["name"]] = name
        if name in there:
            study_id = _join(into, there[name], row)
            merged.studies_joined.append(name)
        else:
            values = {key: value for key, value in row.items() if key != "id"} | {"name": name}
            study_id = int(into.execute(insert(rb_study).values(values).returning(rb_study.c.id)).scalar_one())
            merged.studies_added.append(name)
        trials = _merge_trials(source, into, (row["id"], study_id), name, merged)
        _link(source, into, (row["id"], study_id), trials, runs)
        merge_study_notes(source, into, (row["id"], study_id))


def _spec(row: RowMapping) -> dict[str, Any]:
    return parse_study(row["spec"], f"study {row['name']!r}: spec")


def _differences(kept: RowMapping | None, other: RowMapping) -> str:
    """Return why two studies of one name are different; an empty text where they are the same."""
    if kept is None:
        return ""
    changed = differences(_spec(kept).get("fixed", {}), _spec(other).get("fixed", {}))
    lines = [f"{key} is {was or 'not there'} in the first, {now or 'not there'} here" for key, was, now in changed]
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"{other['name']}: {', '.join(lines[:_SHOWN])}{more}" if lines else ""


def _free_name(row: RowMapping, there: Mapping[str, RowMapping]) -> str:
    """Return the study's name, or the first with a number that is free or belongs to this study from an earlier merge."""
    name, number = row["name"], 1
    while _differences(there.get(name), row):
        number += 1
        name = f"{row['name']}_{number}"
    return str(name)


def _join(into: Connection, kept: RowMapping, other: RowMapping) -> int:
    old, new = _spec(kept), _spec(other)
    spec = dict(old)
    if "units" in old or "units" in new:
        spec["units"] = list(dict.fromkeys([*old.get("units", ()), *new.get("units", ())]))
        spec["seeds"] = list(dict.fromkeys([*old.get("seeds", ()), *new.get("seeds", ())]))
        looks = _looks(old, new)
        if looks:
            spec["looks"] = looks
    if "plugins" in new:
        spec["plugins"] = list(dict.fromkeys([*old.get("plugins", ()), *new["plugins"]]))
    if "wrote" in new:
        spec["wrote"] = new["wrote"] | old.get("wrote", {})
    if "latencies" in old or "latencies" in new:  # those of the target are kept
        was, more = old.get("latencies", {}), new.get("latencies", {})
        spec["latencies"] = {device: more.get(device, {}) | was.get(device, {}) for device in sorted({*was, *more})}
    if spec != old:
        text = canonical_json(spec)
        updated = max(kept["updated_at"], other["updated_at"])
        values = {"spec": text, "digest": sha256(text.encode()).hexdigest(), "updated_at": updated}
        into.execute(update(rb_study).where(rb_study.c.id == kept["id"]).values(values))
    return int(kept["id"])


def _looks(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[int]:
    """Return the looks of both studies; if the source adds seeds, the current numbers of seeds count as unplanned looks."""
    looks = {*old.get("looks", ()), *new.get("looks", ())}
    grows = not {*new.get("seeds", ())} <= {*old.get("seeds", ())}
    if grows and "race" not in old.get("fixed", {}):
        looks |= {count for count in (len(old.get("seeds", ())), len(new.get("seeds", ()))) if count >= MIN_SEEDS}
    return sorted(looks)


def _merge_trials(
    source: Connection, into: Connection, studies: tuple[int, int], name: str, merged: MergeReport
) -> dict[int, int]:
    """Merge trials and map their ids. The same point is the same trial; a new one with a taken number gets the next free one."""
    mine = list(into.execute(_trials(studies[1])).mappings())
    waiting: dict[tuple[Any, ...], list[int]] = {}
    for row in mine:
        waiting.setdefault(_point(row), []).append(row["id"])
    active = {row["name"]: row for row in mine if row["active"]}
    taken = {row["number"] for row in mine}
    ids: dict[int, int] = {}
    for row in source.execute(_trials(studies[0])).mappings().all():
        kept = active.get(row["name"])
        clash = row["active"] and kept is not None and _point(kept) != _point(row)
        if clash and kept is not None:  # its file was edited in one of the two; only one can be the unit of that name
            what = f"study {name}, unit {row['name']}"
            merged.conflicts.append(Conflict(what, "network", kept["architecture"], row["architecture"]))
        same = waiting.get(_point(row))
        if same:
            ids[row["id"]] = same.pop(0)
            continue
        number = row["number"] if row["number"] not in taken else max(taken) + 1
        taken.add(number)
        values = {key: value for key, value in row.items() if key != "id"}
        values |= {"study_id": studies[1], "number": number, "active": row["active"] and not clash}
        made = into.execute(insert(rb_trial).values(values).returning(rb_trial.c.id)).scalar_one()
        ids[row["id"]] = int(made)
    return ids


def _trials(study_id: int) -> Any:
    return select(rb_trial).where(rb_trial.c.study_id == study_id).order_by(rb_trial.c.number)


def _point(row: RowMapping) -> tuple[Any, ...]:
    return tuple(row[key] for key in ("name", "architecture", "recipe", "data"))


def _link(source: Connection, into: Connection, studies: tuple[int, int], trials: Ids, runs: Ids) -> None:
    columns = (rb_study_run.c.run_id, rb_study_run.c.trial_id)
    there = {tuple(row) for row in into.execute(select(*columns).where(rb_study_run.c.study_id == studies[1]))}
    rows = source.execute(select(*columns, rb_study_run.c.judges).where(rb_study_run.c.study_id == studies[0]))
    wanted = {(runs[run_id], trials[trial_id]): judges for run_id, trial_id, judges in rows}
    insert_all(into, rb_study_run, [
        {"study_id": studies[1], "run_id": run, "trial_id": trial, "judges": judges}
        for (run, trial), judges in wanted.items() if (run, trial) not in there
    ])  # fmt: skip
