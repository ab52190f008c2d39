"""The report in a real Chromium: it renders without a complaint, asks for nothing, sorts, fits a phone, and prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from report_study_sample import HOSTILE, LONG, made, store

from resbench.html_report.build import page
from resbench.html_report.render import html
from resbench.store.open import open_store

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hostile names among long ones, some of whose runs diverged."""
    folder = tmp_path_factory.mktemp("report")
    units = made([*HOSTILE, *LONG[:6]], diverging={2: 1, 8: 5})
    engine = store(folder / "a.db", units, doc="<script>alert('doc')</script> [/red] " + "x" * 200)
    (folder / "r.html").write_text(html(page(engine, "s")), "utf-8")
    return folder / "r.html"


@pytest.fixture(scope="module")
def drawn(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With units that are drawn."""
    path = tmp_path_factory.mktemp("drawn") / "r.html"
    path.write_text(html(page(open_store(str(finished / "resbench.db"), create=False), "small")), "utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_it_renders_without_a_complaint_and_asks_for_nothing(
    width: int, dark: bool, report: Path, drawn: Path, browser: Browser
) -> None:
    for path in (report, drawn):
        browser.open(path, width=width, dark=dark)
        assert browser.complaints == []
        assert browser.requests == [path.as_uri()]
        assert browser.ask("document.querySelectorAll('figure svg').length") >= 5
        assert browser.ask("document.title").endswith(": what resbench found")


def test_a_complaint_and_a_request_are_seen(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "bad.html").write_text(
        "<!doctype html><img src=gone.png><script>console.error('no'); nothing()</script>"
    )
    browser.open(tmp_path / "bad.html", width=800)
    assert len(browser.requests) == 2
    assert any("nothing is not defined" in text for text in browser.complaints)
    assert any("'no'" in text for text in browser.complaints)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_does_not_scroll_sideways_and_wide_things_do_in_their_own_box(
    width: int, report: Path, drawn: Path, browser: Browser
) -> None:
    for path in (report, drawn):
        browser.open(path, width=width)
        browser.ask("document.querySelectorAll('details').forEach(part => { part.open = true })")
        assert browser.ask("document.documentElement.scrollWidth") == width
        if width < 600:
            boxes = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth)"
            assert browser.ask(f"{boxes}.length") > 3
            assert browser.ask(
                f"{boxes}.every(box => getComputedStyle(box).overflowX === 'auto' && box.tabIndex === 0)"
            )


def test_names_are_text(report: Path, browser: Browser) -> None:
    browser.open(report, width=1280)
    names = browser.ask(
        "[...document.querySelectorAll('table.sort')[0].tBodies[0].rows].map(row => row.cells[1].textContent)"
    )
    assert set(HOSTILE[:5]) <= set(names)
    assert browser.ask("document.querySelectorAll('script').length") == 1
    assert "<script>alert('doc')</script> [/red]" in browser.ask("document.querySelector('.doc').textContent")


def column(browser: Browser, number: int) -> list[str]:
    rows = "[...document.querySelector('table.sort').tBodies[0].rows]"
    return list(browser.ask(f"{rows}.map(row => row.cells[{number}].textContent)"))


def test_tables_sort_by_mouse_and_by_keyboard(report: Path, browser: Browser) -> None:
    browser.open(report, width=1280)
    head = "document.querySelectorAll('table.sort th')"
    before = column(browser, 0)
    browser.ask(f"{head}[2].querySelector('button').click()")
    assert browser.ask(f"{head}[2].getAttribute('aria-sort')") == "ascending"
    rising = column(browser, 2)
    numbers = [float(text) for text in rising if text != "–"]
    assert numbers == sorted(numbers)
    assert rising[-1] == "–"
    browser.ask(f"{head}[2].querySelector('button').focus()")
    browser.press("Enter")
    assert browser.ask(f"{head}[2].getAttribute('aria-sort')") == "descending"
    falling = column(browser, 2)
    assert [float(text) for text in falling if text != "–"] == numbers[::-1]
    assert falling[-1] == "–"
    browser.press("Tab")
    browser.press("Enter")
    assert browser.ask(f"[...{head}].map(one => one.getAttribute('aria-sort')).filter(Boolean)") == ["ascending"]
    assert browser.ask(f"{head}[3].getAttribute('aria-sort')") == "ascending"
    browser.ask(f"{head}[0].querySelector('button').click()")
    assert column(browser, 0) == before
    browser.ask(f"{head}[1].querySelector('button').click()")
    assert column(browser, 1) != before


def test_a_name_leads_to_its_unit(drawn: Path, browser: Browser) -> None:
    browser.open(drawn, width=360)
    browser.ask("document.querySelector('table.sort td a').click()")
    assert browser.ask("Math.abs(document.querySelector('#unit-1').getBoundingClientRect().top)") < 40


def test_it_prints_with_everything_open(drawn: Path, browser: Browser) -> None:
    browser.open(drawn, width=1280)
    paper = browser.pdf()
    assert paper.startswith(b"%PDF")
    assert 5 < len(re.findall(rb"/Type\s*/Page\b", paper)) < 30
    assert browser.ask("document.querySelectorAll('details:not(.long):not([open])').length") == 0
