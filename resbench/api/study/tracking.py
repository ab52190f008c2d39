"""`track:` of a study and `--track` -> trackers that are made and have not begun."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from resbench.errors import BadInput, ResbenchError
from resbench.escape import printable
from resbench.language.graph.network import Use
from resbench.language.study.command_line import word_value
from resbench.language.study.study import StudySpec
from resbench.language.study.track import parse_track
from resbench.language.yaml.node import plain
from resbench.language.yaml.problems import Problems

if TYPE_CHECKING:
    from resbench.store.open import Engine
    from resbench.study.trackers.tracked import TrackedStudy
    from resbench.study.trackers.tracking import Trackers

NONE = "none"


def check_trackers(spec: StudySpec, check: Problems) -> None:
    """Report entries of a study's `track` that no tracker accepts."""
    from resbench.study.trackers.registry import kind_of

    for use in spec.track:
        try:
            kind_of(str(use.name), _given(use), trusted=False)
        except ResbenchError as error:
            check.report_error(use.node, BadInput(str(error)))


def trackers_of(spec: StudySpec, words: Sequence[str]) -> Trackers:
    """Return the trackers of `--track`, which replace the study's own. Raises BadInput before anything is trained."""
    from resbench.study.trackers.registry import make
    from resbench.study.trackers.tracking import Trackers

    uses = [use for word in words if word != NONE for use in _parsed(word)] if words else spec.track
    names = [use.name for use in uses]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"--track: {twice} is named twice")
    return Trackers([(str(use.name), make(str(use.name), _given(use))) for use in uses], partial(_study, spec.name))


def _parsed(word: str) -> tuple[Use, ...]:
    check = Problems()
    found = parse_track(word_value(word, f"--track={word}"), check, trusted=True)
    check.done()
    if not found:
        raise BadInput(
            f"--track: expected a tracker such as tensorboard or {{use: mlflow, folder: here}}, got `{printable(word)}`"
        )
    return found


def _given(use: Use) -> dict[str, Any]:
    return {name: plain(value) for name, value in use.arguments.items()}


def _study(name: str, engine: Engine) -> TrackedStudy:
    from resbench.study.dashboard import note
    from resbench.study.trackers.tracked import TrackedStudy

    return TrackedStudy(name, note(engine, name), partial(_page, name, engine))


def _page(name: str, engine: Engine) -> str:
    from resbench.html_report.build import page
    from resbench.html_report.render import html

    return html(page(engine, name))
