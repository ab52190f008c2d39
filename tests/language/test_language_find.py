"""Names -> files: which root comes first, what a pattern matches, what is not found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from language_sample import put

from resbench.errors import BadInput, SpecError
from resbench.escape import printable
from resbench.language.library.library import Library
from resbench.language.library.lookup import INSTALLED, STUDIES, shown, workspace
from resbench.ops.schema import table

UNIT = "unit: {}\nnodes: {{y: {{from: x, ops: []}}}}\n"


@pytest.fixture
def work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a study's folder in it; the current folder is below the workspace."""
    put(folder, {f"arch_specs/units/deep/er/{name}.yaml": UNIT.format(name) for name in ("ours", "plain")})
    put(folder, {f"mine/units/{name}.yaml": UNIT.format(name) for name in ("theirs", "ours")})
    put(folder, {"mine/beside.yaml": UNIT.format("beside"), "mine/recipe1.yaml": "recipe: recipe1\n"})
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    return folder


def said(library: Library, name: str, kind: str = "unit") -> str:
    with pytest.raises(BadInput) as caught:
        library.find(kind, name)
    return str(caught.value)


def test_the_study_s_folder_then_the_workspace_then_the_library(work: Path) -> None:
    library = Library(table(), work / "mine")
    assert library.find("unit", "ours") == work / "mine/units/ours.yaml"
    assert library.find("unit", "plain") == work / "arch_specs/units/deep/er/plain.yaml"
    assert library.find("unit", "original") == INSTALLED / "units/identity_mappings/original.yaml"
    assert Library(table()).find("unit", "ours") == work / "arch_specs/units/deep/er/ours.yaml"


def test_the_workspace_is_the_nearest_above(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert workspace() == work / "arch_specs"
    (work / "below/arch_specs").mkdir()
    assert workspace() == work / "below/arch_specs"


def test_a_file_beside_the_study_is_found_by_its_kind(work: Path) -> None:
    library = Library(table(), work / "mine")
    assert library.find("unit", "beside") == work / "mine/beside.yaml"
    assert library.find("recipe", "recipe1") == work / "mine/recipe1.yaml"
    assert said(library, "recipe1").startswith("`recipe1` is a recipe; a unit is needed")
    assert said(Library(table()), "beside").startswith("no unit is called `beside`")


def test_a_pipe_or_a_gigabyte_beside_the_study_is_not_read(work: Path) -> None:
    os.mkfifo(work / "mine/pipe.yaml")
    with (work / "mine/big.yaml").open("wb") as file:
        file.truncate(10**9)
    library = Library(table(), work / "mine")
    for name in ("pipe", "big"):
        assert said(library, name).startswith(f"no unit is called `{name}`")


def test_a_bare_name_at_any_depth_a_path_exactly(work: Path) -> None:
    library = Library(table())
    for name in ("ours", "deep/er/ours", "units/deep/er/ours"):
        assert library.find("unit", name) == work / "arch_specs/units/deep/er/ours.yaml"
    assert said(library, "er/ours").startswith("no unit is called `er/ours`; did you mean `ours`?")


def test_twice_in_one_root_is_an_error(work: Path) -> None:
    put(work, {"arch_specs/units/other/plain.yaml": UNIT.format("plain")})
    assert said(Library(table()), "plain") == (
        f"unit `plain` is found twice: {work}/arch_specs/units/deep/er/plain.yaml, {work}/arch_specs/units/other/plain.yaml"
    )
    assert Library(table()).find("unit", "other/plain") == work / "arch_specs/units/other/plain.yaml"
    assert Library(table()).find("unit", "ours")


def test_a_path_is_that_file(work: Path) -> None:
    library = Library(table(), work / "mine")
    assert library.find("unit", "units/ours.yaml") == work / "mine/units/ours.yaml"
    assert library.find("unit", str(work / "mine/beside.yaml")) == work / "mine/beside.yaml"
    assert said(library, "none.yaml") == "none.yaml: no such file"
    assert said(library, "a\0b.yaml") == "a\\x00b.yaml: no such file"
    assert said(library, "x" * 5000 + ".yaml").endswith("...: no such file")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("plan", "no unit is called `plan`; did you mean `plain`? (units: "),
        ("zzz", "no unit is called `zzz` (units: "),
        (
            "Plain",
            "`Plain` is not a legal name: expected a small letter, then small letters, digits and `_`; did you mean "
            "`plain`? (units: ",
        ),
        ("graph", "`graph` is an attribute of every torch module (units: "),
        ("", "`` is not a legal name"),
        ("..", "`..` is not a legal name"),
        ("*", "`*` is not a legal name"),
        ("\x1b[31m", "`\\x1b[31m` is not a legal name"),
        ("../plain", "no unit is called `../plain`; did you mean `plain`? (units: "),
        ("/dev/zero", "no unit is called `/dev/zero`"),
        ("deep/../deep/er/plain", "no unit is called `deep/../deep/er/plain`; did you mean `plain`? (units: "),
        ("x" * 5000, f"`{'x' * 20}...` has 5000 characters; at most 60 are allowed"),
    ],
)
def test_an_unknown_name(work: Path, name: str, message: str) -> None:
    text = said(Library(table()), name)
    assert text.startswith(message)
    assert text.endswith("; or a path ending in .yaml)")


def test_files_without_a_legal_name_are_none(work: Path) -> None:
    put(
        work,
        {f"arch_specs/units/{name}.yaml": UNIT.format("a") for name in ("My-unit", ".hidden", "graph", "two words")},
    )
    names = Library(table()).names("unit")
    assert "ours" in names
    assert not {"My-unit", ".hidden", "graph", "two words"} & set(names)


def test_a_pattern_is_of_the_nearest_root_that_has_any(work: Path) -> None:
    library = Library(table(), work / "mine")
    assert library.glob("unit", "units/*") == ["ours", "theirs"]
    assert library.glob("unit", "units/the*") == library.glob("unit", "the*") == ["theirs"]
    assert library.glob("unit", "units/deep/er/*") == ["deep/er/ours", "deep/er/plain"]
    assert len(library.glob("unit", "units/identity_mappings/*")) == 11


def test_a_star_does_not_descend(work: Path) -> None:
    assert all(
        "/" not in name.removeprefix("identity_mappings/")
        for name in Library(table()).glob("unit", "identity_mappings/*")
    )
    with pytest.raises(BadInput, match="`units/deep/\\*` matches no file in "):
        Library(table()).glob("unit", "units/deep/*")


@pytest.mark.parametrize(
    "pattern", ["**", "units/**", "units/**/plain*", "/*", "../*", "units/../../*", "a\0*", "*/" * 200 + "*"]
)
def test_a_pattern_stays_in_its_folder(work: Path, pattern: str) -> None:
    with pytest.raises(BadInput) as caught:
        Library(table()).glob("unit", pattern)
    assert str(caught.value) == f"`{printable(pattern)}`: a pattern is written units/FOLDER/*, and * does not descend"


@pytest.mark.parametrize("pattern", ["*[", "x" * 300 + "*", "*/" * 9 + "*", "*\n"])
def test_a_pattern_that_matches_nothing(work: Path, pattern: str) -> None:
    with pytest.raises(BadInput, match="matches no file in "):
        Library(table()).glob("unit", pattern)


def test_how_a_path_is_shown(work: Path) -> None:
    assert shown(work / "below/a.yaml") == "a.yaml"
    assert shown(INSTALLED / "units/a.yaml") == "library/arch_specs/units/a.yaml"
    assert shown(work / "a\x1b.yaml") == f"{work}/a\\x1b.yaml"
    assert (STUDIES / "quickstart.yaml").is_file()


def test_studies_lie_beside_arch_specs(work: Path) -> None:
    put(work, {"studies/here.yaml": "study: here\n", "mine/studies/own.yaml": "study: own\n"})
    library = Library(table(), work / "mine")
    assert library.find("study", "own") == work / "mine/studies/own.yaml"
    assert library.find("study", "here") == work / "studies/here.yaml"
    assert library.find("study", "quickstart") == STUDIES / "quickstart.yaml"


def test_a_comment_before_the_first_key_is_no_key(tmp_path: Path) -> None:
    """As the line that editors read, which counts among the lines of messages."""
    first = "# yaml-language-server: $schema=schemas/unit.json\n"
    (tmp_path / "mine.yaml").write_text(f"{first}unit: mine\nnodes:\n  y: {{from: x, ops: [rleu]}}\n", "utf-8")
    library = Library(table(), tmp_path)
    assert library.find("unit", "mine") == tmp_path / "mine.yaml"
    with pytest.raises(SpecError, match=r"mine\.yaml:4:22: nodes\.y\.ops\[0\]: unknown op `rleu`"):
        library.unit("mine")
