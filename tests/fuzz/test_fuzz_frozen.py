"""Frozen benchmarks of strangers with something broken in them: each question is answered or refused with the file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from shutil import copyfile

import pytest
from command_line import say
from fuzz_bases import make_database, make_frozen, small_pages
from fuzz_case import Figures, cases, chunks, ended, kept, noted
from fuzz_sqlite import mutate_file

from resbench.tabular import Bench, Simulation, load, merge

SAMPLE, WANTED = 80, 2_000


def walk(simulation: Simulation) -> None:
    """A search over every unit, to the end of the budget."""
    for unit in simulation.units * 2:
        simulation.train(unit, epoch=1)
        simulation.train(unit)
    best = simulation.best()
    assert best is None or str(simulation.unseen(best))


UNIT = {"unit": "mine", "nodes": {"y": {"from": "x", "ops": ["conv3x3", "bn"]}}}
QUESTIONS: tuple[Callable[[Bench], object], ...] = (
    lambda bench: bench.about,
    lambda bench: [bench.query(unit) for unit in bench.units],
    lambda bench: [str(bench.query(unit, epoch=2)) for unit in bench.units],
    lambda bench: [bench.query(unit, epoch=1, seed=0) for unit in bench.units],
    lambda bench: [bench.seeds(unit) for unit in bench.units],
    lambda bench: [bench.architecture(unit) for unit in bench.units],
    lambda bench: [bench.test(unit).mean for unit in bench.units],
    lambda bench: [bench.query(digest) for digest in ("a2_plain", "a2_original", "a2_gated")],
    lambda bench: (bench.count(), bench.studies, bench.query("plain").median, bench.query("plain").std),
    lambda bench: bench.simulate(walk, seconds=30),
    lambda bench: bench.simulate(walk, epochs=30),
)


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same benchmark on large pages and on small ones."""
    folder = tmp_path_factory.mktemp("frozen")
    make_database(folder / "results.db")
    make_frozen(folder / "results.db", folder / "large.db")
    small_pages(folder / "large.db", folder / "small.db")
    return [folder / "large.db", folder / "small.db"]


def test_one_that_is_not_broken_answers(frozen: list[Path], tmp_path: Path) -> None:
    for path in frozen:
        with load(path) as bench:
            answers = [question(bench) for question in QUESTIONS if question is not QUESTIONS[6]]
        assert all(answers)
        merge([path, frozen[0]], tmp_path / path.name)


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_broken_one_answers_or_is_refused(chunk: int, frozen: list[Path], figures: Figures, tmp_path: Path) -> None:
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number) as rng, kept(tmp_path) as folder:
            path = folder / "broken.db"
            copyfile(rng.choice(frozen), path)
            copyfile(frozen[0], folder / "mine.db")
            with noted(mutate_file(path, rng)):
                use(path, rng)


def use(path: Path, rng: Random) -> None:
    before, mine = path.read_bytes(), path.with_name("mine.db")

    def ask() -> None:
        study = rng.choice([None, None, "small"])
        with load(path, study=study) as bench:
            for question in rng.sample(QUESTIONS, 4):
                ended(lambda question=question: question(bench), path.name)
            if rng.random() < 0.03:
                ended(lambda: bench.query(UNIT), path.name)

    ended(ask, path.name)
    whole = mine.read_bytes()
    files = rng.sample([path, mine], 2)
    refused = ended(lambda: merge(files, path.with_name("new.db")), path.name, mine.name)
    assert path.with_name("new.db").exists() == (refused is None)
    if refused is None:
        ended(lambda: load(path.with_name("new.db")).close(), "nothing")
    if rng.random() < 0.1:
        said = say(["results", "freeze", "-o", "out.db", "--merge", path.name], path.parent)
        assert said.status == 0 or (said.status in (2, 4) and path.name in said.err), said
    assert path.read_bytes() == before
    assert mine.read_bytes() == whole
