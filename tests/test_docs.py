"""The pages keep their word: generated sections are current, every file in them works, every command is there."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import torch
from docs_text import REPOSITORY, Block, blocks, commands, page, problem, yaml_texts
from torch.nn import functional as F

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.json_schema.schema import KINDS, make_schema
from resbench.language.expressions.grammar import FUNCTIONS
from resbench.language.graph.network import Use
from resbench.language.graph.unit import parse_unit
from resbench.language.library.library import Library
from resbench.language.names import KNOWN, MEANINGS
from resbench.language.recipe.recipe import parse_recipe
from resbench.language.study import study
from resbench.language.study.study import parse_study
from resbench.language.yaml.node import Node, from_plain, plain
from resbench.language.yaml.problems import Problems
from resbench.language.yaml.reader import read_text
from resbench.ops.schema import table
from resbench.store.query.examples import QUESTIONS
from resbench.store.schema.metadata import metadata
from resbench.store.schema.views import VIEWS
from tools.docs import database
from tools.docs.language import SECTIONS, refresh
from tools.docs.language_values import FUNCTION_DOCS

torch.set_num_threads(1)  # small tensors: one thread is faster than several that wait for each other
PAGES = (
    "README.md",
    "docs/guide.md",
    "docs/language.md",
    "docs/database.md",
    "docs/reliability.md",
    "docs/scale.md",
    "docs/search.md",
    "docs/theory.md",
    "docs/verify.md",
    "docs/tracking.md",
)
BLOCKS = [block for name in PAGES for block in blocks(name)]
SHAPE, CLASSES = (3, 16, 16), 7


def of_kind(*kinds: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind in kinds]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A folder with every unit, block and recipe of the pages."""
    for block in of_kind("unit", "block", "recipe"):
        block.put(tmp_path)
    return Library(table(), tmp_path)


def test_generated_sections_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    text = page("docs/language.md")
    assert refresh(text, Library(table())) == text, "run `make docs`"
    assert [name for name in SECTIONS if f"<!-- generated: {name} -->" not in text] == []


def test_the_database_s_page_is_current_and_whole() -> None:
    text = page("docs/database.md")
    assert database.refresh(text) == text, "run `make docs`"
    assert [name for name in database.SECTIONS if f"<!-- generated: {name} -->" not in text] == []
    assert database.refresh(text.replace("| `val_error_pct` |", "| `val_eror_pct` |")) == text
    for heading in (*(one.name for one in metadata.sorted_tables), *(one.name for one in VIEWS)):
        assert f"\n### {heading}\n" in text
    assert len(QUESTIONS) >= 10


def test_a_section_that_is_not_current_is_seen() -> None:
    text = page("docs/language.md").replace("| `relu` |", "| `rleu` |")
    assert refresh(text, Library(table())) != text


def test_a_section_that_nobody_knows() -> None:
    with pytest.raises(KeyError, match="nothing"):
        refresh("<!-- generated: nothing -->\n<!-- end -->", Library(table()))


def test_every_op_with_every_argument_is_on_the_page() -> None:
    text = page("docs/language.md")
    for name, signature in table().items():
        assert f"`{name}`" in text
        for key, argument in signature.arguments.items():
            assert f"| `{key}` |" in text
            assert argument.doc.replace("|", "\\|") in text


def test_every_key_of_a_study_is_on_the_page() -> None:
    text = page("docs/language.md")
    schema = make_schema("study", Library(table()))
    assert {*schema["properties"]} == {*study.REQUIRED_KEYS, *study.OPTIONAL_KEYS}
    parts = {key: of for key, of in schema["properties"].items() if key not in ("recipe", "data", "network")}
    keys = sorted(f"{part}.{key}" for part, of in parts.items() for key in keys_within(of))
    assert {"keep.gib", "budget.latency_ms", "search.finalists", "search.by", "track.use"} <= {*keys}
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert [key for key in schema["properties"] if key not in rows] == []
    for key in keys:
        part, _, name = key.partition(".")
        assert any(row.startswith(f"{part}.") and row.endswith(f".{name}") for row in rows), key
    for key in ("arrange.ops", "arrange.rules", "mutate.edits", "mutate.count", "vary", "use"):
        assert f"units.{key}" in rows


def keys_within(schema: Any) -> set[str]:
    """The keys that a schema names, at any depth."""
    if isinstance(schema, list):
        return {key for item in schema for key in keys_within(item)}
    if not isinstance(schema, dict):
        return set()
    named = set(schema.get("properties", {}))
    parts = [*schema.get("properties", {}).values(), *(of for word, of in schema.items() if word != "properties")]
    return named.union(*map(keys_within, parts))


def test_every_known_value_and_function_has_a_meaning() -> None:
    assert set(MEANINGS) == KNOWN
    assert set(FUNCTION_DOCS) == set(FUNCTIONS)


def test_there_are_ten_worked_units_from_plain_to_two_stream() -> None:
    section = page("docs/language.md").partition("## Ten units")[2].partition("\n## ")[0]
    names = [line.removeprefix("unit: ") for line in section.splitlines() if line.startswith("unit: ")]
    assert len(names) == 10
    assert (names[0], names[-1]) == ("chain", "two_streams")


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The schema of each kind in a workspace with every block of the pages."""
    folder = tmp_path_factory.mktemp("workspace")
    for block in of_kind("unit", "block", "recipe"):
        block.put(folder)
    (folder / "arch_specs").mkdir()
    (folder / "blocks").rename(folder / "arch_specs" / "blocks")
    with chdir(folder):
        return {kind: make_schema(kind, Library(table())) for kind in KINDS}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_file_is_taken_by_its_schema(block: Block, schemas: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator

    schema = schemas[block.kind]
    data = plain(read_text(block.text, f"{block.name}.yaml"))
    assert [error.message[:200] for error in Draft202012Validator(schema).iter_errors(data)] == []


@pytest.mark.parametrize("text", [text for name in PAGES for text in yaml_texts(name)], ids=lambda text: text[:24])
def test_every_yaml_is_yaml(text: str) -> None:
    assert read_text(text, "page.yaml").mapping


@pytest.mark.parametrize("block", of_kind("unit"), ids=str)
def test_units_run_and_every_parameter_learns(block: Block, library: Library, tmp_path: Path) -> None:
    """In the network of the same page that uses it, else in the CIFAR net with two units a stage."""
    name = block.put(tmp_path).name
    own = next((b for b in of_kind("network") if b.page == block.page and f"\nunit: {block.name}\n" in b.text), None)
    params = {"n": Node(2), "width": Node(8)}
    network = Use(own.put(tmp_path).name, {}, Node("")) if own else Use("resnet_cifar", params, Node(""))
    step(bind_network(Request(network, Use(name, {}, Node(name)), SHAPE, CLASSES), library))


@pytest.mark.parametrize("block", of_kind("network"), ids=str)
def test_networks_run_and_every_parameter_learns(block: Block, library: Library, tmp_path: Path) -> None:
    network = Use(block.put(tmp_path).name, {}, Node(""))
    step(bind_network(Request(network, None, SHAPE, CLASSES), library))


def step(bound: BoundNetwork) -> None:
    """Forward and backward."""
    network = build(bound)
    initialize_weights(network, canonical(bound).numbers, 0, "he_normal")
    images = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))
    network.eval()  # what draws in training would leave branches out
    logits = network(images)
    assert logits.shape == (4, CLASSES)
    assert torch.isfinite(logits).all()
    F.cross_entropy(logits, torch.arange(4)).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("block", of_kind("recipe"), ids=str)
def test_recipes_are_right(block: Block, library: Library, tmp_path: Path) -> None:
    check = Problems()
    parse_recipe(library.read("recipe", block.put(tmp_path), check))
    check.done()


@pytest.mark.parametrize("block", of_kind("block"), ids=str)
def test_blocks_are_right(block: Block, library: Library) -> None:
    assert library.block(block.name).doc or block.page == "guide"


@pytest.mark.parametrize("block", of_kind("study"), ids=str)
def test_studies_are_right(block: Block, library: Library, tmp_path: Path) -> None:
    check = Problems()
    parse_study(library.read("study", block.put(tmp_path), check), library, check)
    check.done()


def test_what_the_function_returns_are_units(library: Library) -> None:
    (source,) = re.findall(r"^```python\n(.*?)^```", page("docs/language.md"), re.DOTALL | re.MULTILINE)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    check = Problems()
    names = [parse_unit(from_plain(unit), library, check).name for unit in namespace["deep_units"]()]
    check.done()
    assert names == ["chain1", "chain2", "chain3"]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_is_there(name: str) -> None:
    found = list(commands(name))
    assert len(found) > 1
    for words in found:
        assert problem(words) is None, f"{name}: resbench {' '.join(words)}: {problem(words)}"


def test_a_command_that_is_not_there_is_seen() -> None:
    assert problem(["unit", "check", "a.yaml"]) is None
    assert problem(["unit", "chekc", "a.yaml"]) == "no command `chekc`"
    assert problem(["unit", "check", "--jsn"]) == "no option --jsn"
    assert problem(["chekc"]) == "no command `chekc`"


def test_every_promise_of_security_names_tests_that_are_there() -> None:
    root = Path(__file__).parent
    lines = [line for line in (root.parent / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [line for line in lines if not line.startswith(("| from others |", "| |"))]
    assert len(rows) > 14
    for row in rows:
        named = re.findall(r"`([a-z_/]+\.py)`", row)
        assert named, row
        missing = [name for name in named if not (root / name).is_file() and not (root.parent / name).is_file()]
        assert not missing, row
