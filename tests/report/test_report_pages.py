"""The pictures on the pages are those that the command draws today."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Rb

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever terminal the tests run in."""
    monkeypatch.setenv("COLUMNS", "120")


def test_the_picture_of_the_guide(rb: Rb, tmp_path: Path) -> None:
    assert rb("unit", "show", "full_preactivation", "-o", "now.svg").status == 0
    kept = (REPOSITORY / "docs" / "full_preactivation.svg").read_text("utf-8")
    assert kept == (tmp_path / "now.svg").read_text("utf-8"), (
        "run `resbench unit show full_preactivation -o docs/full_preactivation.svg`"
    )


def test_the_drawing_of_the_first_page(rb: Rb, tmp_path: Path) -> None:
    page = (REPOSITORY / "README.md").read_text("utf-8")
    (tmp_path / "my_unit.yaml").write_text(
        "unit: my_unit\n" + page.split("\nunit: my_unit\n")[1].split("```")[0], "utf-8"
    )
    said = rb("unit", "show", "my_unit.yaml")
    assert (said.status, said.err) == (0, "")
    assert f"```\n{said.out}```\n" in page
