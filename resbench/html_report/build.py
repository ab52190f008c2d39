"""A study in a database -> Page: every table, picture and text of its report, as plain text that the template escapes.

Torch is imported only for the drawings of units (html_report/unit_section.py says why).
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
from resbench.html_report.tables import ReportTable, anchor_of, differences_table, ranking_table, runs_table
from resbench.html_report.theory_section import paths_table
from resbench.html_report.unit_section import DrawnUnit, draw_unit
from resbench.language.study.search import MODELS, SearchSpec
from resbench.language.yaml.node import flow
from resbench.results.study_results import StudyResults, UnitResults, study_results
from resbench.store.edits.notes import notes_on
from resbench.store.open import Engine
from resbench.store.records import DataRecord
from resbench.store.results.catalogue import get_architecture, get_data, get_recipe, recipe_spec
from resbench.store.results.epochs import EnvironmentUse, environments_of_study
from resbench.store.results.reading import StudyRun, reveals
from resbench.store.results.runs import runs_by_measured_plans
from resbench.store.results.studies import get_study, trials_of_study


@dataclass(frozen=True, slots=True)
class UnitSection:
    """One unit of the report: its anchor, its name, its facts and its drawing."""

    anchor: str
    name: str
    facts: tuple[tuple[str, str], ...]
    drawn: DrawnUnit


@dataclass(frozen=True, slots=True)
class Page:
    """The contents of a report. Pairs of texts are a term and its description."""

    study: str
    doc: str
    facts: tuple[tuple[str, str], ...]
    claims: tuple[str, ...]
    limitations: tuple[str, ...]
    ranking: ReportTable
    differences: ReportTable | None
    paths: ReportTable | None
    runs: ReportTable
    pictures: Mapping[Kind, str]
    units: tuple[UnitSection, ...]
    recipe: tuple[tuple[str, str], ...]
    digests: tuple[tuple[str, str], ...]
    provenance: tuple[tuple[tuple[str, str], ...], ...]
    study_file: str
    commands: tuple[tuple[str, str], ...]
    version: str
    newest: str


def page(engine: Engine, study: str) -> Page:
    """Collect the report of a study. Raises BadInput for an unknown study and for one without a finished run."""
    results = study_results(engine, study)
    shown = results.board.shortened()
    row = get_study(engine, study)
    runs = [run for unit in results.units for run in unit.runs]
    first = results.units[0].runs[0]
    data = get_data(engine, first.data_digest)
    trials = [each.trial for each in trials_of_study(engine, row.id) if each.trial.active]
    return Page(
        study=study,
        doc=results.stored.doc or "",
        facts=(*_facts(results, data, first), *_notes(engine, study, runs)),
        claims=tuple(line for line in notes(shown) if line not in limits(shown)),
        limitations=_limitations(results, data, len(reveals(engine, study)), runs_by_measured_plans(engine, study)),
        ranking=ranking_table(results),
        differences=differences_table(results),
        paths=paths_table(engine, results),
        runs=runs_table(results),
        pictures=_pictures(engine, results),
        units=tuple(_unit(engine, unit) for unit in results.units),
        recipe=_recipe(engine, results),
        digests=(("study", row.digest), ("data", f"{data.name}: {first.data_digest}"), ("made", row.created_at)),
        provenance=tuple(map(_provenance, environments_of_study(engine, study))),
        study_file=study_file(study, results.stored, [trial.name for trial in trials], first.recipe),
        commands=tuple(commands(engine, study, first.run_id)),
        version=__version__,
        newest=max(run.created_at for run in runs),
    )


def _facts(results: StudyResults, data: DataRecord, run: StudyRun) -> tuple[tuple[str, str], ...]:
    seeds = sorted({run.seed for unit in results.units for run in unit.runs})
    runs = sum(len(unit.runs) for unit in results.units)
    network = results.stored.fixed.get("network", run.network)
    images = f"{data.n_train} to train on, {data.n_val} val, {data.n_test} test (sealed)"
    search = results.stored.search
    how = (
        "named by the study"
        if search is None
        else f"finalists of a search by other seeds: {flow(_own_settings(search))}"
    )
    how += f" ({MODELS[search['use']]}; the rest is drawn at random)" if search and search["use"] in MODELS else ""
    return (
        ("units", f"{len(results.units)}, each one architecture; {how}"),
        ("network", flow(use_first(network))),
        ("data", f"{data.name}: {data.input_shape} (C×H×W), {data.classes} classes; {images}"),
        ("recipe", f"{run.recipe}, {run.epochs} epochs"),
        ("seeds", f"{len(seeds)}: {_few(seeds)}"),
        ("runs", f"{runs} finished"),
    )


def _notes(engine: Engine, study: str, runs: Sequence[StudyRun]) -> Iterator[tuple[str, str]]:
    """Yield the notes on the study and on its runs."""
    own = {run.run_id for run in runs}
    for note in notes_on(engine):
        if note.study == study or note.run in own:
            what = "note" if note.run is None else f"note on run {note.run}"
            yield what, f"{note.text} ({note.noted_at}, {note.noted_by})"


def _own_settings(search: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a search that differ from its defaults."""
    usual = SearchSpec(use=search["use"]).model_dump(mode="json", by_alias=True)
    return {key: value for key, value in search.items() if key in ("use", "seed", "seeds") or value != usual.get(key)}


def _few(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) <= 20 else f"{seeds[0]} … {seeds[-1]}"


def _tuned(results: StudyResults) -> str:
    if len({run.recipe_digest for unit in results.units for run in unit.runs}) > 1:
        return "The study searched the recipe: a row is a unit with the values of its recipe."
    return "All units were trained by the recipe below; this says nothing about a recipe tuned for each unit."


def _limitations(results: StudyResults, data: DataRecord, reveal_count: int, measured_count: int) -> tuple[str, ...]:
    n = results.board.n_val
    limitations = [
        *limits(results.board.shortened()),
        f"Errors are measured on {n} validation images: one image is {100 / n:.2f} points. They say nothing about another "
        f"split, another data set or a larger network.",
        _tuned(results),
        "A tie is no proof that units are equal: with these seeds, no difference between them was shown.",
    ]
    if reveal_count:
        limitations.append(
            f"The test scores were looked at {reveal_count} time(s); choices made after that are not independent of them."
        )
    elif data.n_test:
        limitations.append("The test scores have not been looked at; none is in this report.")
    if measured_count:
        limitations.append(
            f"{measured_count} run(s) were trained by a plan that was timed on their machine; another machine, or the same one "
            f"under load, may choose another plan, with which the last bits differ."
        )
    if not results.paired:
        limitations.append(
            "Seeds determine weights, order and augmentation, not the data: units are compared without pairing seeds."
        )
    return tuple(limitations)


def _pictures(engine: Engine, results: StudyResults) -> dict[Kind, str]:
    """Return as SVG every kind of picture for which the study has data."""
    pictures: dict[Kind, str] = {}
    for kind in KINDS:
        try:
            pictures[kind] = picture(engine, results, kind, "svg").decode("utf-8")
        except BadInput:
            continue
    return pictures


def _unit(engine: Engine, unit: UnitResults) -> UnitSection:
    stored = get_architecture(engine, unit.row.digest)
    train = "–" if unit.row.train_s is None else f"{unit.row.train_s:.1f} s, mean over runs"
    facts = (
        *([] if unit.row.name == unit.shown.name else [("whole name", unit.row.name)]),
        ("file", stored.unit),
        ("network", stored.network),
        ("digest", stored.digest),
        ("params, MACs", f"{count(unit.row.params)}, {count(unit.row.macs)} for one image"),
        ("training", train),
        ("seeds", _few([run.seed for run in unit.runs])),
    )
    return UnitSection(anchor_of(unit), unit.shown.name, facts, draw_unit(stored, unit.shown.unit))


def _recipe(engine: Engine, results: StudyResults) -> tuple[tuple[str, str], ...]:
    """Return the recipes of the study: a single one, unless it searches them."""
    digests = dict.fromkeys(run.recipe_digest for unit in results.units for run in unit.runs)
    rows: list[tuple[str, str]] = []
    for digest in digests:
        stored = get_recipe(engine, digest)
        spec = recipe_spec(engine, digest)
        rows.append(("recipe", f"{stored.name} ({digest})"))
        given = {key: value for key, value in spec.items() if key != "recipe" and value is not None}
        rows += [(key, value if isinstance(value, str) else flow(value)) for key, value in given.items()]
    return tuple(rows)


def _provenance(one: EnvironmentUse) -> tuple[tuple[str, str], ...]:
    where = one.environment
    changes = {True: " with uncommitted changes", False: "", None: ""}[where.git_dirty]
    return (
        ("runs", f"{len(one.run_ids)}, made {one.first} to {one.last}"),
        ("resbench", where.package_version),
        ("git commit", f"{where.git_commit}{changes}" if where.git_commit else "not in a repository"),
        ("Python, PyTorch", f"{where.python}, {where.torch}"),
        ("device", f"{where.device}, {where.threads} thread(s) a training"),
        ("processor", where.processor or "not recorded by the version that made them"),
        ("deterministic, TF32", f"{_yes(where.deterministic)}, {_yes(where.tf32)}"),
        ("plugins", flow(dict(where.plugins)) if where.plugins else "none"),
        ("platform", where.platform),
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
