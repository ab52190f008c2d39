"""The dashboard on a study's database: the real WSGI application with our metric, units and note; and what goes wrong."""

from __future__ import annotations

import builtins
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from shutil import copyfile
from typing import Any
from urllib.request import urlopen

import pytest
from command_line import Rb
from hostile import STUDY, make_hostile, unprintable

from resbench.errors import BadInput, DatabaseError
from resbench.store.open import open_store
from resbench.study.dashboard import END, METRIC, App, dashboard, note, renewed, serve


@pytest.fixture
def path(finished: Path, tmp_path: Path) -> str:
    copyfile(finished / "resbench.db", tmp_path / "resbench.db")
    return str(tmp_path / "resbench.db")


def make(path: str, study: str = "small") -> App:
    return dashboard(open_store(path, create=False), path, study)


def ask(app: App, address: str) -> tuple[str, bytes]:
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": address, "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.input": BytesIO(), "wsgi.errors": StringIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    parts: Any = app(environ, lambda status, *_: said.append(status))
    body = b"".join(parts)
    if not isinstance(parts, list):  # a file
        parts.close()
    return said[0], body


def detail(app: App) -> Any:
    status, body = ask(app, "/api/studies/1")
    assert status == "200 OK"
    return json.loads(body)


def test_it_shows_our_metric_units_and_leaderboard(path: str) -> None:
    app = make(path)
    assert ask(app, "/dashboard")[0] == "200 OK"
    study = detail(app)
    assert study["name"] == "small"
    assert study["objective_names"] == [METRIC]
    names = {attribute["value"] for t in study["trials"] for attribute in t["user_attrs"] if attribute["key"] == "unit"}
    assert names == {"plain", "original", "full_preactivation"}
    body = study["note"]["body"]
    assert body.startswith("## small: val error on digits")
    assert body.count("\n| ") == 4  # the head and three units
    assert "full_preactivation" in body
    assert END in body


def test_what_a_person_wrote_below_stays(path: str) -> None:
    from optuna_dashboard import save_note

    from resbench.study.optuna_mirror import open_optuna

    first = detail(make(path))["note"]
    assert detail(make(path))["note"] == first  # nothing new: nothing is written
    save_note(open_optuna(path, "small").study, first["body"].replace("## small", "## gone") + "\nMy own words.")
    again = detail(make(path))["note"]["body"]
    assert again == first["body"] + "\nMy own words."
    save_note(open_optuna(path, "small").study, "Only mine.")
    assert detail(make(path))["note"]["body"] == first["body"] + "\n\nOnly mine."


def test_texts_of_a_note_are_shown(path: str) -> None:
    """Whatever a unit is called, the table has its rows, and what a person wrote below it is found again."""
    assert renewed("", "ours").endswith(END)
    plain = note(open_store(path, create=False), "small")
    make_hostile(Path(path))
    body = note(open_store(path, create=False), STUDY)
    assert unprintable(body) == ""
    assert len(body.splitlines()) == len(plain.splitlines())
    assert body.count("\n| ") == plain.count("\n| ") == 4
    assert "<script>" not in body
    assert renewed(f"{renewed('', body)}\nmine", body) == f"{renewed('', body)}\nmine"


def test_a_study_without_runs_has_a_note_that_says_so(path: str) -> None:
    from command_line import Database

    Database(Path(path)).change("DELETE FROM rb_study_run")
    assert note(open_store(path, create=False), "small").startswith("study small has no finished run yet")


def test_what_cannot_be_shown(path: str) -> None:
    from command_line import Database

    with pytest.raises(BadInput, match=r"no study 'smal' in .*; did you mean `small`"):
        make(path, "smal")
    with pytest.raises(DatabaseError, match="is read-only; the dashboard writes the study's note"):
        make(f"sqlite:///{path}?mode=ro")
    Database(Path(path)).change("UPDATE studies SET study_name = 'other'")
    with pytest.raises(
        BadInput, match="study small is not among Optuna's studies in this database, though its runs are"
    ):
        make(path)


def test_without_the_extra_the_command_that_installs_it_is_told(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def gone(name: str, *rest: Any) -> Any:
        if name == "optuna_dashboard":
            raise ModuleNotFoundError("No module named 'optuna_dashboard'", name="optuna_dashboard")
        return there(name, *rest)

    monkeypatch.setattr(builtins, "__import__", gone)
    with pytest.raises(
        BadInput, match=r"optuna-dashboard, which is not installed: pip install 'resbench\[dashboard\]'"
    ):
        make(path)


def test_an_address_that_cannot_be_had() -> None:
    with pytest.raises(
        BadInput, match=r"203.0.113.1:0: cannot listen there: .*; --port takes another, 0 any that is free"
    ):
        serve(lambda *_: [], "203.0.113.1", 0, print)


@pytest.fixture
def served(path: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "resbench", "dashboard", "small", "--db", path, "--port", "0", "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_command_serves_until_ctrl_c(served: tuple[subprocess.Popen[str], str]) -> None:
    process, address = served
    with urlopen(address, timeout=300) as said:
        assert said.status == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err.strip()) == (0, "", "press Ctrl-C to stop")


@pytest.mark.long
def test_its_data_name_units_times_and_curves(served: tuple[subprocess.Popen[str], str]) -> None:
    with urlopen(served[1].replace("/dashboard/", "/api/studies/1"), timeout=300) as said:
        study = json.loads(said.read())
    assert [space["name"] for space in study["union_search_space"]] == ["unit"]
    for trial in study["trials"]:
        (unit,) = trial["params"]
        said = {attribute["key"]: attribute["value"] for attribute in trial["user_attrs"]}
        assert (trial["state"], unit["name"], unit["param_external_value"]) == ("Complete", "unit", said["unit"])
        assert trial["datetime_start"] < trial["datetime_complete"]
        assert [each["step"] for each in trial["intermediate_values"]] == [1]
        assert float(said["n"]) == 3
        assert float(said["train_s"]) > 0


def test_a_port_that_is_none(read: Rb) -> None:
    assert read("dashboard", "small", "--port", 70000).status == 2
