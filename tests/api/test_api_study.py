"""Studies of the Python door: read, checked, run, interrupted, and read again; nothing prints and nothing exits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from command_line import SMALL, Rb, one_core

import resbench as rb
from resbench.api.study.events import EpochEnded, Event, Message, RunSaved, RunsPlanned
from resbench.api.study.study import StudyOutcome
from resbench.errors import BadInput, SpecError

NASTY = {"unit": "nasty", "extends": "plain", "doc": "<script>alert(1)</script>"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    return tmp_path / "small.yaml"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> StudyOutcome:
    """Three units, two seeds each, all weights kept, in a database of its own."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yaml").write_text(SMALL, "utf-8")
    units = ["plain", "original", rb.load_unit(NASTY | {"extends": "full_preactivation"})]
    with one_core():
        return rb.load_study(folder / "small.yaml", keep="all", units=units).run(folder / "small.db", progress=False)


def test_a_study_tells_events_and_prints_nothing(small: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[Event] = []
    threads = torch.get_num_threads()
    with one_core():
        found = rb.load_study(small, "units-=original").run(small.with_name("x.db"), progress=told.append)
    assert torch.get_num_threads() == threads
    assert capfd.readouterr() == ("", "")
    assert [event for event in told if isinstance(event, RunsPlanned)] == [RunsPlanned(0, 2)]
    saved = [event for event in told if isinstance(event, RunSaved)]
    assert [(event.unit, event.seed, event.epochs, event.planned_epochs) for event in saved] == [
        ("plain", 0, 1, 1),
        ("plain", 1, 1, 1),
    ]
    assert len([event for event in told if isinstance(event, EpochEnded)]) == 2
    assert (found.complete, found.saved, found.follows) == (True, 2, False)
    assert [row["unit"] for row in found.leaderboard] == ["plain"]
    again = rb.load_study(small, "units-=original").run(small.with_name("x.db"))
    assert again.saved == 0
    assert capfd.readouterr() == ("", "2 cached, 0 new\n")


def test_the_door_and_the_command_line_write_the_same(small: Path, rb_: Rb) -> None:
    with one_core():
        rb.load_study(small).run(small.with_name("door.db"), progress=False)
    assert rb_("study", "run", "small.yaml", "--db", "words.db").status == 0
    question = (
        "SELECT unit, digest, recipe_digest, data_digest, seed, val_error_pct, train_loss FROM v_runs ORDER BY 1, 5"
    )
    rows = []
    for name in ("door.db", "words.db"):
        with rb.open_results(small.with_name(name)) as results:
            rows.append(results.query(question).to_dicts())
    assert rows[0] == rows[1]
    assert len(rows[0]) == 4


@pytest.fixture
def rb_(rb: Rb) -> Rb:
    """The command line, under a name that leaves `rb` to the package."""
    return rb


def test_a_study_may_be_a_mapping_and_its_keys_keywords(small: Path) -> None:
    mapping = {
        "study": "small", "network": {"use": "resnet_cifar", "depth": 8, "width": 2}, "units": ["plain", "original"],
        "data": "digits", "seeds": 2,
    }  # fmt: skip
    one = rb.load_study(mapping, recipe={"use": "he2016_small", "epochs": 1}).check(memory="80GiB")
    two = rb.load_study(small, recipe={"use": "he2016_small", "epochs": 1}).check(memory="80GiB")
    assert [point.digest for point in one.points] == [point.digest for point in two.points]
    assert [point.recipe.digest for point in one.points] == [point.recipe.digest for point in two.points]
    assert rb.load_study(small, seeds=[7, 9]).seeds == (7, 9)
    assert rb.load_study(rb.load_study(small, seeds=3), name="other").seeds == (0, 1, 2)
    assert rb.load_study(small, name="other").name == "other"
    with pytest.raises(SpecError) as caught:
        rb.load_study(small, seeds=-1, units=["plian"], data="digitz")
    assert len(caught.value.problems) == 3
    with pytest.raises(BadInput, match=r"nowhere\.yaml: no such study file"):
        rb.load_study("nowhere.yaml")


def test_check_shows_points_and_sentences(small: Path) -> None:
    check = rb.load_study(small, units=["plain", rb.load_unit(NASTY | {"nodes": {}})]).check(memory="80GiB")
    assert "plain" in check._repr_html_()
    assert any("2 seeds" in sentence for sentence in check.sentences())


def test_an_interrupted_study_raises_and_goes_on(small: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded):
            os.kill(os.getpid(), signal.SIGINT)

    study = rb.load_study(small, "recipe.plan={workers: 0, width: 1}")
    handler = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # it is ignored where tests run in the background
    try:
        with (
            one_core(),
            pytest.raises(
                rb.StudyInterrupted, match=r"study small: interrupted: [0-3] of 4 new runs are saved"
            ) as caught,
        ):
            study.run(small.with_name("x.db"), progress=stop)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)
    assert caught.value.exit_status == 130
    with one_core():
        assert study.run(small.with_name("x.db"), progress=False).complete
    with rb.open_results(small.with_name("x.db")) as results:
        assert [row["n"] for row in results.leaderboard("small")] == [2, 2]


def test_a_study_runs_in_a_thread_too(small: Path) -> None:
    found: list[StudyOutcome] = []
    study = rb.load_study(small, "units-=original", seeds=1)
    with one_core():
        thread = threading.Thread(target=lambda: found.append(study.run(small.with_name("x.db"), progress=False)))
        thread.start()
        thread.join()
    assert found[0].complete


@pytest.mark.long
def test_a_script_without_a_guard_runs_once(small: Path) -> None:
    """Its worker processes must not import it: each would run the study again."""
    script = small.with_name("script.py")
    script.write_text(
        "import resbench as rb\nprint('begun')\n"
        "study = rb.load_study('small.yaml', 'recipe.plan={}', units=['plain'])\n"
        "print(study.run('x.db', workers=2, progress=False).complete)\n",
        "utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], cwd=small.parent, text=True, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == ("begun\nTrue\n", "")


def test_results_show_rankings_comparisons_and_pictures(outcome: StudyOutcome) -> None:
    with rb.open_results(outcome.url) as results:
        ranking = results.leaderboard("small")
        assert ranking.to_dicts() == list(ranking)
        assert [row["n"] for row in ranking.to_pandas().to_dict("records")] == [2, 2, 2]
        assert "lower is better" in ranking._repr_html_()
        assert ranking.notes[-1].startswith("Means, sd and 95 % intervals")
        found = results.compare("small", "original", "plain", "nasty")
        assert [(row["a"], row["b"]) for row in found.to_dicts()] == [
            ("original", "plain"),
            ("original", "nasty"),
            ("plain", "nasty"),
        ]
        assert len(found.to_pandas()) == 3
        assert found.title in found._repr_html_().replace("&lt;", "<")
        assert results.plot("small", "seeds")._repr_svg_().startswith("<?xml")
        with pytest.raises(BadInput, match="gone"):
            results.plot("gone", "seeds")
        with pytest.raises(BadInput, match="expected one of curves"):
            results.plot("small", "circles")  # type: ignore[arg-type]
        with pytest.raises(BadInput, match="expected two or more different units"):
            results.compare("small", "plain")


def test_kept_weights_are_a_network_again(outcome: StudyOutcome, tmp_path: Path) -> None:
    val = rb.load_data("digits").val
    with rb.open_results(outcome.url) as results:
        net = results.load_network("small", "plain", seed=1)
        [row] = results.query("SELECT val_error_pct, run_id FROM v_runs WHERE unit = 'plain' AND seed = 1")
        with torch.no_grad():
            wrong = (net(val.images).argmax(1) != val.labels).float().mean()
        assert f"{100 * wrong:.3f}" == f"{row['val_error_pct']:.3f}"
        with pytest.raises(BadInput, match=r"plain: expected the seed of a finished run \(0, 1\), got 5"):
            results.load_network("small", "plain", seed=5)
    with rb.open_results(outcome.url, checkpoints=tmp_path) as elsewhere:
        words = rf"plain, seed 1: run {row['run_id']}: no .*--checkpoints .*`resbench results weights "
        with pytest.raises(BadInput, match=words):
            elsewhere.load_network("small", "plain", seed=1)


def test_a_strangers_text_is_data_in_a_notebook() -> None:
    from resbench.results.rows import Rows

    html = Rows(("<b>",), [("<script>alert(1)</script>",), (None,), (1.25,)])._repr_html_()
    assert "<script" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;script&gt;" in rb.load_unit(NASTY)._repr_html_()
    assert "<script" not in rb.load_unit(NASTY)._repr_html_()


def test_messages_reach_a_function(small: Path) -> None:
    told: list[Event] = []
    with one_core():
        rb.load_study(small, "units=[plain]", "seeds=1", "recipe.warmup={lr: 0.01, for: {epochs: 1}}").run(
            small.with_name("x.db"), progress=told.append
        )
    assert any(isinstance(event, Message) for event in told)
