"""Random kills, pauses and stops by a seeded schedule; starts at the same moment.  `make storm` does it at full length."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from harness import Running, Scene, Stage

FULL = os.environ.get("RESBENCH_STORM") == "full"
STARTS, KILLS = (50, 1000) if FULL else (2, 20)
KILLS_A_SCENE = 50 if FULL else 20


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def test_two_that_start_at_once_on_an_empty_database(
    stage: Stage, database: str, request: pytest.FixtureRequest
) -> None:
    """Nothing is there, not even the schema: it is made once, no cell is doubled, the budget is exact."""
    for number in range(STARTS if database == "sqlite" else max(2, STARTS // 5)):
        if database == "sqlite":
            scene = stage(f"scene-{number}", step_s=0.01, url=f"sqlite:///{stage_folder(request)}/{number}.db")
        else:
            scene = stage(f"scene-{number}", step_s=0.01, url=request.getfixturevalue("server").new())
        runs = [scene.start() for _ in range(2)]
        assert [running.wait() for running in runs] == [0, 0], scene.told()
        scene.check()
        assert scene.epochs_trained() == 3 * 2 * 4
        assert scene.rows("SELECT COUNT(*), COUNT(DISTINCT trial_id || seeds), MAX(token) FROM rb_cell") == [(6, 6, 1)]
        scene.engine.dispose()


def stage_folder(request: pytest.FixtureRequest) -> Path:
    folder = request.getfixturevalue("tmp_path") / "databases"
    folder.mkdir(exist_ok=True)
    return Path(folder)


class Nemesis:
    """What is done to two runs of one study: the same for the same seed, but for what the machine makes of it."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene, self.random = scene, random.Random(seed)
        self.runs: list[Running] = [scene.start(), scene.start()]
        self.kills = self.pauses = self.stops = 0

    def strike(self) -> None:
        running = self.random.choice(self.runs)
        dice, children = self.random.random(), running.children()
        if dice < 0.5 and children:
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(children), signal.SIGKILL)
                self.kills += 1
        elif dice < 0.75:
            running.send(signal.SIGKILL, group=self.random.random() < 0.5)
            self.kills += 1
        elif dice < 0.9:
            running.send(signal.SIGSTOP, group=True)
            time.sleep(self.random.uniform(0.1, 1.5))
            running.send(signal.SIGCONT, group=True)
            self.pauses += 1
        else:
            running.send(self.random.choice([signal.SIGTERM, signal.SIGINT]), group=self.random.random() < 0.5)
            self.stops += 1

    def revive(self) -> bool:
        """Start again what has died. Whether the study is done."""
        for number, running in enumerate(self.runs):
            status = running.status()
            if status == 0:
                return True
            if status is not None:
                running.send(signal.SIGKILL, group=True)
                self.runs[number] = self.scene.start()
        return False


@pytest.mark.long
def test_a_nemesis_breaks_no_invariant(stage: Stage) -> None:
    kills = number = 0
    while kills < KILLS:
        scene = stage(f"nemesis-{number}", seeds=10, epochs=6, step_s=0.02, lease_s=0.6)
        nemesis = Nemesis(scene, seed=number)
        while not nemesis.revive() and nemesis.kills < KILLS_A_SCENE:
            time.sleep(nemesis.random.uniform(0.02, 0.3))
            nemesis.strike()
        for running in nemesis.runs:
            running.wait()
        scene.finish()
        scene.check()
        epochs = 3 * 10 * 6
        wasted = scene.epochs_trained() - epochs
        struck = nemesis.kills * 3 + nemesis.pauses * 2 + nemesis.stops  # a group that is killed has two children
        assert 0 <= wasted <= 2 * struck, scene.told()
        kills, number = kills + nemesis.kills, number + 1
        print(f"scene {number}: {nemesis.kills} kills, {nemesis.pauses} pauses, {nemesis.stops} stops, {wasted} of {epochs} "
              f"epochs trained again, {len(scene.numbers)} starts")  # fmt: skip
        scene.engine.dispose()
