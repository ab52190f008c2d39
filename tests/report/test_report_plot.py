"""Pictures of a study: nothing overlaps or leaves the page, the numbers are the evidence's, the bytes are the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from report_study_sample import HOSTILE, LONG, Made, made, store
from shortened import every, few

from resbench.errors import BadInput
from resbench.evidence.compare import compare
from resbench.figures import curves, depth, differences, pareto, profile, ranking, seeds
from resbench.figures.figures import KINDS, Kind, picture
from resbench.figures.overlaps import find_overlaps
from resbench.figures.style import ENDINGS, drawing, ending_of, fitted, new_figure, spread, text_width
from resbench.results.study_results import StudyResults, study_results
from resbench.store.open import Engine
from resbench.store.records import ProfileRecord

DEPTHS = [
    Made(f"{name} network.depth={d}", tuple(error + d / 10 + s for s in (0.0, 0.2, 0.4)), depth=d)
    for name, error in (("plain", 5.0), (LONG[13], 3.0), (HOSTILE[1], 4.0))
    for d in (8, 20, 110)
]  # fmt: skip


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """20 units of long names; unit 3 lost one seed, unit 17 four, the last all."""
    return store(tmp_path_factory.mktemp("long") / "a.db", made(LONG, diverging={3: 1, 17: 4, 19: 5}))


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return store(tmp_path_factory.mktemp("deep") / "a.db", DEPTHS)


def study_of(folder: Path, units: list[Made], **spec: Any) -> Engine:
    return store(folder / "a.db", units, **spec)


def figure_of(engine: Engine, kind: Kind, *, train: bool = False) -> Any:
    study = study_results(engine, "s")
    match kind:
        case "curves":
            return curves.draw(study, train=train)
        case "depth":
            return depth.draw(study, depths={f"a2_{i:04d}": unit.depth or 0 for i, unit in enumerate(DEPTHS)})
        case "signal" | "gradient":
            return profile.draw({unit.row.unit: profiles_of(i) for i, unit in enumerate(study.units)}, kind)
        case _:
            return {"ranking": ranking, "seeds": seeds, "pareto": pareto, "differences": differences}[kind].draw(study)  # type: ignore[attr-defined]


def profiles_of(number: int) -> dict[int, list[list[ProfileRecord]]]:
    """Two seeds, at the start and after 12 epochs, of 27 units; signals that explode, vanish, and are none."""
    return {epoch: [[at(seed, epoch, unit, number) for unit in range(27)] for seed in (0, 1)] for epoch in (0, 12)}


def at(seed: int, epoch: int, unit: int, number: int) -> ProfileRecord:
    return ProfileRecord(seed, epoch, unit, 2.0 ** (unit * (number - 3)), 0.9**unit if unit else None, 50.0, None)


def texts(figure: Any) -> Iterator[Any]:
    """Every text that is seen."""
    study_results = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        study_results += axes.texts
        for axis in (axes.xaxis, axes.yaxis):
            study_results += [axis.label]
            low, high = sorted(axis.get_view_interval())
            shown = axis.get_tick_params()["labelbottom" if axis is axes.xaxis else "labelleft"]
            study_results += [t.label1 for t in axis.get_major_ticks() if shown and low <= t.get_loc() <= high]
    return (text for text in study_results if text.get_visible() and text.get_text().strip())


def overlaps(figure: Any) -> list[str]:
    """Pairs of texts that touch, and texts that leave the figure, measured as drawn."""
    from matplotlib.transforms import Bbox

    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(figure)]
    boxes = [(text, Bbox.from_extents(b.x0 + 0.4, b.y0 + 0.4, b.x1 - 0.4, b.y1 - 0.4)) for text, b in boxes]
    page = figure.bbox
    outside = [
        f"{text} leaves the page" for text, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > page.x1 or b.y1 > page.y1
    ]
    return outside + [f"{a} / {b}" for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]


@pytest.mark.parametrize("kind", few([kind for kind in KINDS if kind != "depth"], ["pareto"]))
def test_no_text_touches_another_with_twenty_long_names(kind: Kind, long: Engine) -> None:
    with drawing():
        figure = figure_of(long, kind, train=True)
        assert len(list(texts(figure))) > 20
        assert overlaps(figure) == []
        assert figure.get_size_inches()[0] == 7.0


def test_no_text_touches_another_in_depth(deep: Engine) -> None:
    with drawing():
        assert overlaps(figure_of(deep, "depth")) == []


ODD = {
    "hostile": made(HOSTILE),
    "one unit": made(["a"]),
    "one seed": made(["a", "b"], seeds=1),
    "all the same": [Made(name, (0.0, 0.0, 0.0)) for name in "abcdefgh"],
    "many seeds": made(["a", "b"], seeds=60, diverging={1: 25}),
}


@pytest.mark.parametrize("case", every(3, ODD))
def test_no_text_touches_another_in_odd_studies(case: str, tmp_path: Path) -> None:
    engine = study_of(tmp_path, ODD[case])
    with drawing():
        for kind in ("curves", "ranking", "seeds", "pareto"):
            assert overlaps(figure_of(engine, kind)) == []
        if case not in ("one unit", "one seed"):
            assert overlaps(figure_of(engine, "differences")) == []
            return
        with pytest.raises(BadInput, match="a difference requires two units, one of them with 3 converged runs"):
            figure_of(engine, "differences")


def test_texts_that_touch_or_leave_are_seen() -> None:
    with drawing():
        figure = new_figure(2.0)
        figure.text(0.1, 0.5, "one word")
        figure.text(0.4, 0.5, "another")
        assert overlaps(figure) == []
        figure.text(0.12, 0.51, "on it")
        figure.text(0.99, 0.1, "beyond")
        assert overlaps(figure) == ["beyond leaves the page", "one word / on it"]


def test_where_all_diverged_what_can_be_drawn_is(tmp_path: Path) -> None:
    engine = study_of(tmp_path, [Made("a", (None, None, None)), Made("b", (None, None, None))])
    with drawing():
        for kind in ("curves", "ranking", "seeds"):
            assert overlaps(figure_of(engine, kind)) == []
    with pytest.raises(BadInput, match="no unit has both a mean over converged runs and a measured params"):
        figure_of(engine, "pareto")
    with pytest.raises(BadInput, match="a difference requires two units"):
        figure_of(engine, "differences")


def test_one_depth_is_told(long: Engine) -> None:
    with pytest.raises(
        BadInput, match=r"study s: .* all its networks have 56; .* `depth: \{choices: \[20, 56, 110\]\}`"
    ):
        picture(long, study_results(long, "s"), "depth", "svg")


def test_no_epochs_are_told(tmp_path: Path) -> None:
    engine = study_of(tmp_path, made(["a", "b"]), epochs=0)
    with pytest.raises(BadInput, match="the database has no epochs of its runs"):
        figure_of(engine, "curves")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_bytes_each_time_whatever_a_matplotlibrc_says(ending: Any, long: Engine) -> None:
    from matplotlib import rc_context

    study = study_results(long, "s")
    first = picture(long, study, "ranking", ending)
    with rc_context({"svg.hashsalt": "other", "font.size": 20, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert picture(long, study, "ranking", ending) == first
    assert {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending] in first[:8]
    assert b"CreationDate" not in first
    assert b"dc:date" not in first


def test_names_stay_text_in_an_svg_and_are_not_obeyed(tmp_path: Path) -> None:
    engine = study_of(tmp_path, made(HOSTILE))
    svg = picture(engine, study_results(engine, "s"), "ranking", "svg").decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in svg
    assert "<script" not in svg
    assert "$x^2$" in svg
    assert "\x1b" not in svg


def test_curves_are_means_with_the_least_and_the_largest(long: Engine) -> None:
    study = study_results(long, "s")
    runs = study.units[0].converged
    drawn = curves.curve(study, runs, "val_error_pct")
    assert drawn is not None
    assert (drawn.n, drawn.epochs) == (5, (1, 2, 3, 4))
    last = [run.val_error_pct for run in runs if run.val_error_pct is not None]
    assert (drawn.mean[-1], drawn.low[-1], drawn.high[-1]) == pytest.approx((fmean(last), min(last), max(last)))
    with drawing():
        axes = curves.draw(study).axes[0]
        assert any(line.get_ydata()[-1] == pytest.approx(fmean(last)) for line in axes.lines)


def test_the_ranking_draws_what_the_leaderboard_says(long: Engine) -> None:
    study = study_results(long, "s")
    with drawing():
        axes = ranking.draw(study).axes[0]
    points = {line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1}
    assert {unit.row.ranked.mean for unit in study.units if unit.row.ranked.mean is not None} <= points


def test_every_seed_has_a_mark(long: Engine) -> None:
    with drawing():
        axes = seeds.draw(study_results(long, "s")).axes[0]
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert len(marks) == 20 * 5
    assert sum(line.get_marker() == "x" for line in marks) == 1 + 4 + 5


def test_differences_are_those_of_all_pairs(long: Engine) -> None:
    """Holm over k - 1 comparisons with the best seen would claim too much: it is over all pairs."""
    study = study_results(long, "s")
    pairs = {frozenset((p.a, p.b)): p for p in compare(study.samples, n_val=340)}
    best = study.best
    assert best is not None
    rows = study.against_best()
    assert [unit.row.ranked.rank for unit, _ in rows] == list(range(2, 21))
    for unit, row in rows:
        same = pairs[frozenset((unit.row.ranked.name, best.row.ranked.name))]
        assert (row.a, row.b, row.p_holm) == (unit.row.ranked.name, best.row.ranked.name, same.p_holm)
        if row.difference is not None and row.ci_low is not None and row.ci_high is not None:
            assert row.ci_low <= row.difference <= row.ci_high
            assert row.difference == pytest.approx((unit.row.ranked.mean or 0) - (best.row.ranked.mean or 0))
    assert "Holm over all 153 pairs" in differences.note(study)  # 18 units can be tested


def test_a_paired_study_is_compared_by_seed(tmp_path: Path) -> None:
    units = [Made("a", (1.0, 2.0, 3.0, 4.0)), Made("b", (1.5, 2.4, 3.6, 4.5))]
    study = study_results(study_of(tmp_path, units, paired=True), "s")
    ((unit, row),) = study.against_best()
    assert row.method == "paired"
    assert study.best is not None
    assert differences.by_seed(study, unit, study.best) == pytest.approx([0.5, 0.4, 0.6, 0.5])
    with drawing():
        axes = differences.draw(study).axes[0]
    assert sum(line.get_marker() == "|" for line in axes.lines) == 4
    assert "sign flips over common seeds" in differences.note(study)


def test_the_front_is_that_of_the_means(tmp_path: Path) -> None:
    units = [
        Made("cheap", (9.0, 9.1, 9.2), 10), Made("worse", (9.5, 9.6, 9.7), 20), Made("good", (5.0, 5.1, 5.2), 30),
        Made("same cost", (6.0, 6.1, 6.2), 30), Made("dear", (4.0, 4.1, 4.2), 90), Made("fails", (1.0, None, None), 5),
    ]  # fmt: skip
    study = study_results(study_of(tmp_path, units), "s")
    priced = [(u, float(u.row.params), u.row.ranked.mean or 0.0) for u in study.units if not u.row.ranked.fails]
    spots, _ = pareto.place(priced, pareto.scale_of([price for _, price, _ in priced]), 6.0, 2.0)
    assert [spot.unit.name for spot in pareto.front_of(spots)] == ["cheap", "good", "dear"]
    with drawing():
        assert not any("fails" in text.get_text() for text in pareto.draw(study).axes[0].texts)


def test_a_point_is_where_its_cost_is_and_ticks_tell_costs_apart(tmp_path: Path) -> None:
    """Eight units of 1320 parameters and one of 1324, which stood left of some of them over five ticks of 1.32k."""
    units = [Made(f"unit{i}", (4 + i / 2, 4.1 + i / 2, 4.2 + i / 2), 1320) for i in range(7)]
    units += [Made("twin", (4.0, 4.1, 4.2001), 1320), Made("larger", (5.0, 5.1, 5.2), 1324)]
    study = study_results(study_of(tmp_path, units), "s")
    priced = [(u, float(u.row.params), u.row.ranked.mean or 0.0) for u in study.units]
    spots, room = pareto.place(priced, pareto.scale_of([price for _, price, _ in priced]), 6.0, 2.0)
    of = {spot.unit.name: spot.x for spot in spots}
    assert len({x for name, x in of.items() if name != "larger"}) == 1
    assert of["larger"] > of["unit0"] + room / 2
    with drawing():
        axes = pareto.draw(study).axes[0]
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        assert len(set(ticks)) == len(ticks) > 2
        assert [text.get_text() for text in axes.texts if text.get_text().startswith("x")] == ["x2"]


def test_marks_that_lie_over_each_other() -> None:
    near = [(1.0, 1.0), (1.04, 1.0), (1.08, 1.0), (2.0, 1.0), (1.0, 1.2)]
    assert [sorted(heap) for heap in find_overlaps(near)] == [near[:3]]


def test_depths_are_lines_of_one_unit(deep: Engine) -> None:
    study: StudyResults = study_results(deep, "s")
    groups = depth.by_depth(study.units, {f"a2_{i:04d}": unit.depth or 0 for i, unit in enumerate(DEPTHS)})
    names = [unit.name.rpartition(" network")[0] for unit in DEPTHS[::3]]
    assert {name: [d for d, _ in of] for name, of in groups.items()} == {name: [8, 20, 110] for name in names}


def test_a_unit_that_is_another_at_one_depth_is_in_both_groups(deep: Engine) -> None:
    first, *others = study_results(deep, "s").units
    shared = replace(first, row=replace(first.row, aliases=("twin network.depth=8",)))
    depths = {f"a2_{i:04d}": unit.depth or 0 for i, unit in enumerate(DEPTHS)}
    groups = depth.by_depth([shared, *others], depths)
    assert groups["twin"] == [(depths[first.row.digest], shared)]
    assert shared in [unit for _, unit in groups[first.row.unit.rpartition(" network")[0]]]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (
            "x.jpg",
            "x.jpg: expected an ending of .svg, .png, .pdf, got `.jpg`; did you mean `png`?",
        ),
        ("x", "x: expected an ending of .svg, .png, .pdf, got none"),
    ],
)
def test_an_ending_that_is_none_of_a_picture(file: str, told: str) -> None:
    assert ending_of(Path("a.SVG")) == "svg"
    with pytest.raises(BadInput) as error:
        ending_of(Path(file))
    assert str(error.value) == told


def test_names_that_are_too_long_lose_their_middle() -> None:
    assert fitted("short", 2.0) == "short"
    assert fitted("constant_scaling shortcut_scale=0.5 branch_scale=1", 2.2).count("\n") == 1
    one, other = (fitted(f"{'a' * 200}{end}", 1.0, lines=1) for end in "xy")
    assert one != other
    assert all("…" in text and text_width(text) <= 1.0 for text in (one, other))


def test_places_are_spread_without_touching() -> None:
    draw = [0.0, 0.0, 0.1, 2.0, 2.05, 5.0]
    places = spread(draw, 0.5, 0.0, 5.0)
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(places))
    assert min(places) >= 0
    assert max(places) <= 5.0
