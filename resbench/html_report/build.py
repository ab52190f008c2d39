"""A study in the database -> Page: every table, picture and text of its report, as plain text that the template escapes.

Torch is imported for the drawings of units alone (html_report/unit_section.py says why).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resbench import __version__
from resbench.drawing.format import count
from resbench.errors import BadInput
from resbench.evidence.notes import limits, notes
from resbench.figures.figures import KINDS, Kind, picture
from resbench.html_report.study_file import commands, study_file, use_first
from resbench.html_report.tables import Sheet, anchor_of, differences_sheet, ranking_sheet, runs_sheet
from resbench.html_report.theory_section import paths_sheet
from resbench.html_report.unit_section import DrawnUnit, draw_unit
from resbench.language.study.search import MODELS, SearchSpec
from resbench.language.yaml.node import flow
from resbench.results.study_results import Found, Measured, found
from resbench.store.edits.notes import notes_on
from resbench.store.open import Engine
from resbench.store.records import DataRecord
from resbench.store.results.catalogue import get_architecture, get_data, get_recipe, recipe_spec
from resbench.store.results.epochs import RanOn, ran_on
from resbench.store.results.reading import StudyRun, reveals
from resbench.store.results.runs import runs_by_measured_plans
from resbench.store.results.studies import get_study, trials_of_study


@dataclass(frozen=True, slots=True)
class UnitPart:
    """One unit of the report: its anchor, its name, its facts and its drawing."""

    anchor: str
    name: str
    facts: tuple[tuple[str, str], ...]
    drawn: DrawnUnit


@dataclass(frozen=True, slots=True)
class Page:
    study: str
    doc: str
    facts: tuple[tuple[str, str], ...]
    says: tuple[str, ...]
    cannot: tuple[str, ...]
    ranking: Sheet
    differences: Sheet | None
    paths: Sheet | None
    runs: Sheet
    pictures: Mapping[Kind, str]
    units: tuple[UnitPart, ...]
    recipe: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, str], ...]
    provenance: tuple[tuple[tuple[str, str], ...], ...]
    study_file: str
    commands: tuple[tuple[str, str], ...]
    version: str
    newest: str


def page(engine: Engine, study: str) -> Page:
    """Raises BadInput for an unknown study and for one without a finished run."""
    evidence = found(engine, study)
    row = get_study(engine, study)
    runs = [run for unit in evidence.units for run in unit.runs]
    first = evidence.units[0].runs[0]
    data = get_data(engine, first.data_digest)
    trials = [each.trial for each in trials_of_study(engine, row.id) if each.trial.active]
    return Page(
        study=study,
        doc=evidence.stored.doc or "",
        facts=(*_facts(evidence, data, first), *_notes(engine, study, runs)),
        says=tuple(line for line in notes(evidence.board) if line not in limits(evidence.board)),
        cannot=_cannot(evidence, data, len(reveals(engine, study)), runs_by_measured_plans(engine, study)),
        ranking=ranking_sheet(evidence),
        differences=differences_sheet(evidence),
        paths=paths_sheet(engine, evidence),
        runs=runs_sheet(evidence),
        pictures=_pictures(engine, evidence),
        units=tuple(_unit(engine, unit) for unit in evidence.units),
        recipe=_recipe(engine, evidence),
        digests=(("study", row.digest), ("data", f"{data.name}: {first.data_digest}"), ("made", row.created_at)),
        provenance=tuple(map(_ran_on, ran_on(engine, study))),
        study_file=study_file(study, evidence.stored, [trial.name for trial in trials], first.recipe),
        commands=tuple(commands(engine, study, first.run_id)),
        version=__version__,
        newest=max(run.created_at for run in runs),
    )


def _facts(found: Found, data: DataRecord, run: StudyRun) -> tuple[tuple[str, str], ...]:
    seeds = sorted({run.seed for unit in found.units for run in unit.runs})
    runs = sum(len(unit.runs) for unit in found.units)
    network = found.stored.fixed.get("network", run.network)
    images = f"{data.n_train} to train on, {data.n_val} val, {data.n_test} test (sealed)"
    search = found.stored.search
    how = "named by the study" if search is None else f"finalists of a search by other seeds: {flow(_said(search))}"
    how += f" ({MODELS[search['use']]}; the rest is drawn at random)" if search and search["use"] in MODELS else ""
    return (
        ("units", f"{len(found.units)}, each one architecture; {how}"),
        ("network", flow(use_first(network))),
        ("data", f"{data.name}: {data.input_shape} (C×H×W), {data.classes} classes; {images}"),
        ("recipe", f"{run.recipe}, {run.epochs} epochs"),
        ("seeds", f"{len(seeds)}: {_few(seeds)}"),
        ("runs", f"{runs} finished"),
    )


def _notes(engine: Engine, study: str, runs: Sequence[StudyRun]) -> Iterator[tuple[str, str]]:
    """What people wrote of the study and of its runs."""
    own = {run.run_id for run in runs}
    for note in notes_on(engine):
        if note.study == study or note.run in own:
            what = "note" if note.run is None else f"note on run {note.run}"
            yield what, f"{note.text} ({note.noted_at}, {note.noted_by})"


def _said(search: Mapping[str, Any]) -> dict[str, Any]:
    """What of a search says something: of each kind only its own keys."""
    usual = SearchSpec(use=search["use"]).model_dump(mode="json", by_alias=True)
    return {key: value for key, value in search.items() if key in ("use", "seed", "seeds") or value != usual.get(key)}


def _few(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) <= 20 else f"{seeds[0]} … {seeds[-1]}"


def _tuned(found: Found) -> str:
    if len({run.recipe_digest for unit in found.units for run in unit.runs}) > 1:
        return "Units stand here with the values of the recipe that the study searched: a row is a unit and its recipe."
    return (
        "All units were trained by the recipe below; what each would do with a recipe tuned for it is not asked here."
    )


def _cannot(found: Found, data: DataRecord, looked: int, measured: int) -> tuple[str, ...]:
    n = found.board.n_val
    said = [
        *limits(found.board),
        f"Errors are of {n} validation images: one image is {100 / n:.2f} points. They say nothing of another split, another "
        f"data set or a larger network.",
        _tuned(found),
        "That units are tied is no proof that they are equal: with these seeds nobody has shown that one is worse.",
    ]
    if looked:
        said.append(
            f"The test scores were looked at {looked} time(s); a choice made after that is not independent of them."
        )
    elif data.n_test:
        said.append("The test scores have not been looked at; none is in this report.")
    if measured:
        said.append(
            f"{measured} run(s) were trained by a plan that was timed on their machine; another machine, or the same one under "
            f"load, may find another, whose last bits differ."
        )
    if not found.paired:
        said.append(
            "Seeds draw weights, order and augmentation, not the data: units are compared without pairing seeds."
        )
    return tuple(said)


def _pictures(engine: Engine, found: Found) -> dict[Kind, str]:
    """What there is something to show of, as SVG."""
    pictures: dict[Kind, str] = {}
    for kind in KINDS:
        try:
            pictures[kind] = picture(engine, found, kind, "svg").decode("utf-8")
        except BadInput:
            continue
    return pictures


def _unit(engine: Engine, unit: Measured) -> UnitPart:
    stored = get_architecture(engine, unit.row.digest)
    train = "–" if unit.row.train_s is None else f"{unit.row.train_s:.1f} s, mean over runs"
    facts = (
        ("file", stored.unit),
        ("network", stored.network),
        ("digest", stored.digest),
        ("params, MACs", f"{count(unit.row.params)}, {count(unit.row.macs)} for one image"),
        ("training", train),
        ("seeds", _few([run.seed for run in unit.runs])),
    )
    return UnitPart(anchor_of(unit), unit.row.name, facts, draw_unit(stored, unit.row.unit))


def _recipe(engine: Engine, found: Found) -> tuple[tuple[str, str], ...]:
    """Every recipe of the study: one, unless it searches them."""
    digests = dict.fromkeys(run.recipe_digest for unit in found.units for run in unit.runs)
    rows: list[tuple[str, str]] = []
    for digest in digests:
        stored = get_recipe(engine, digest)
        spec = recipe_spec(engine, digest)
        rows.append(("recipe", f"{stored.name} ({digest})"))
        told = {key: value for key, value in spec.items() if key != "recipe" and value is not None}
        rows += [(key, value if isinstance(value, str) else flow(value)) for key, value in told.items()]
    return tuple(rows)


def _ran_on(one: RanOn) -> tuple[tuple[str, str], ...]:
    where = one.environment
    changes = {True: " with uncommitted changes", False: "", None: ""}[where.git_dirty]
    return (
        ("runs", f"{len(one.run_ids)}, made {one.first} to {one.last}"),
        ("resbench", where.package_version),
        ("git commit", f"{where.git_commit}{changes}" if where.git_commit else "not in a repository"),
        ("Python, PyTorch", f"{where.python}, {where.torch}"),
        ("device", f"{where.device}, {where.threads} thread(s) a training"),
        ("processor", where.processor or "not written down by the version that made them"),
        ("deterministic, TF32", f"{_yes(where.deterministic)}, {_yes(where.tf32)}"),
        ("plugins", flow(dict(where.plugins)) if where.plugins else "none"),
        ("platform", where.platform),
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
