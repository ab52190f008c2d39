"""Variables that a person sets are checked before anything is written: which one, what is allowed, what was given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Rb

from resbench import failpoints
from resbench.data.public import may_download
from resbench.errors import Reason
from resbench.store.connection.retry import Patience

WRONG = [
    *(("RESBENCH_PATIENCE_S", value) for value in ("x", "nan", "-5", "inf", "1e400", "1e9", "1 s")),
    *(("RESBENCH_UMASK", value) for value in ("abc", "9", "0777")),
    *(
        ("RESBENCH_FAILPOINTS", value)
        for value in (
            "x",
            "beat",
            "beat=die",
            "bet=kill",
            "beat=kill@x",
            "beat=kill@0",
            "beat=sleep:nan",
            "beat=sleep:-1",
        )
    ),
]


@pytest.fixture(autouse=True)
def unread() -> Iterator[None]:
    """As in a process of its own, which has not read them yet."""
    failpoints._armed.cache_clear()
    yield
    failpoints._armed.cache_clear()


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_value_that_is_not_allowed(
    rb: Rb, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    before = sorted(tmp_path.iterdir())
    for words in (("study", "run", "small.yaml", "--db", "new.db"), ("worker", "--study", "small", "--db", "new.db")):
        said = rb(*words)
        assert (said.status, said.out) == (2, "")
        assert said.err.startswith(f"{name}: expected ")
        assert repr(value) in said.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_not_there(rb: Rb, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_FAILPOINTS", "beat=sleep:0.5@2")
    monkeypatch.setenv("RESBENCH_FAILPOINTS_ONCE", str(tmp_path / "gone"))
    said = rb("study", "run", "small.yaml", "--db", "new.db")
    assert said.status == 2
    assert said.err.startswith("RESBENCH_FAILPOINTS_ONCE: expected an existing folder, got ")


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("2.5", 2.5), ("31536000", 31_536_000), ("", 900)])
def test_a_patience(value: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESBENCH_PATIENCE_S", value)
    assert Patience().unavailable_s == seconds


def test_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, allowed in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("RESBENCH_DOWNLOAD", value)
        assert may_download() is allowed
    monkeypatch.setenv("RESBENCH_DOWNLOAD", "yes")
    with pytest.raises(Reason, match=r"RESBENCH_DOWNLOAD: expected 1 \(download\) or 0, got 'yes'"):
        may_download()
