"""`resbench analyze`: what it prints of a unit, and what it does with words that say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Rb

from resbench.cli.delayed_progress import patient


def test_a_unit_of_the_paper(rb: Rb) -> None:
    said = rb("analyze", "constant_scaling", "depth=110", "width=4")
    assert said.status == 0, said.err
    assert said.out.startswith(
        "constant_scaling in resnet_cifar, 52 of 54 units alike\n  x_{l+1} = relu(0.5 x_l + 0.5 F(x_l))\n"
    )
    assert "0.5^54 = 5.6e-17 of x_0 and of the gradient passes (Eq. 7, 8)" in said.out
    assert said.out.count("as predicted") == 5
    assert "NOT AS PREDICTED" not in said.out


def test_several_units_as_json_with_their_profiles(rb: Rb) -> None:
    found = rb("analyze", "original", "plain", "depth=20", "width=4", "--profile", "--json").json
    assert [one["unit"] for one in found] == ["original", "plain"]
    assert [len(one["profile"]) for one in found] == [9, 9]
    assert [one["factor"] for one in found] == [1.0, 0.0]
    assert all(check["foretold"] == check["holds"] for one in found for check in one["checks"])


def test_pictures_of_signal_and_gradient(rb: Rb, tmp_path: Path) -> None:
    said = rb("analyze", "original", "full_preactivation", "depth=20", "width=4", "--plot", "p.svg")
    assert said.status == 0, said.err
    for name in ("p-signal.svg", "p-gradient.svg"):
        assert f"drawn: {name}" in said.err
        assert "full_preactivation" in (tmp_path / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("orginal",), "no unit is called `orginal`; did you mean `original`"),
        (("original", "dpth=20"), "`dpth=20`: no `dpth` here; names: "),
        (("original", "--plot", "p.txt"), "p.txt"),
        (("original", "depth=21"), "depth = 20 or 26 would do"),
    ],
)
def test_what_is_asked_wrongly(rb: Rb, words: tuple[str, ...], told: str) -> None:
    said = rb("analyze", *words)
    assert said.status == 2
    assert told in said.err
    assert not said.out


def test_a_proxy_of_a_plugin_is_checked_as_the_others(rb: Rb, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "few_units.py").write_text(
        '"""Fewer units."""\nfrom resbench.theory.proxy import ProxyInput, proxy\n\n\n@proxy("few_units")\n'
        "def few_units(start: ProxyInput) -> float:\n    return -float(sum(len(stage.units) for stage in start.bound.stages))\n",
        "utf-8",
    )
    said = rb("plugins", "check", "mine")
    assert said.status == 0, said.out + said.err
    assert "metric few_units: -6 for resnet_cifar of original, a proxy" in said.out


def test_progress_is_told_only_of_what_takes_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 0.5, 1.5, 1.5, 2.0, 9.0, 9.0])
    tell = patient(1.0, lambda: next(times))
    for text in ("soon", "late", "again", "later"):
        tell(text)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "late\nlater\n")
