"""`resbench worker ...` as it is, but its trainer is arithmetic: FAKE names a file with the Fake, as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_study import Fake, FakeTrainer

import resbench.workers.assist
from resbench.cli.main import run


def trainer(study_id: int, *_: object) -> FakeTrainer:
    return FakeTrainer(study_id, Fake(**json.loads(Path(os.environ["FAKE"]).read_text("utf-8"))))


if __name__ == "__main__":
    resbench.workers.assist.TorchTrainer = trainer  # type: ignore[assignment, misc]
    run()
