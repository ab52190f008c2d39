"""Every file of the library: it loads, it is the paper's, it compiles at two sizes and learns in all its parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.graph import BoundNetwork, BoundOp, Graph
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.network import build
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.library.lookup import INSTALLED
from resbench.language.recipe.recipe import parse_recipe
from resbench.language.yaml.node import Node
from resbench.ops.schema import table

torch.set_num_threads(1)  # small tensors: one thread is faster than several that wait for each other
LIBRARY = Library(table())
UNITS = LIBRARY.names("unit")
FOLDER = INSTALLED / "units" / "identity_mappings"
PAPER = {
    "original", "plain", "constant_scaling", "exclusive_gating", "shortcut_only_gating", "conv1x1_shortcut",
    "dropout_shortcut", "bn_after_addition", "relu_before_addition", "relu_only_preactivation", "full_preactivation",
}  # fmt: skip

# He et al. 2016, Figures 2 and 4, Tables 1 to 3, at an inner place. W weight layers (CORE), B batch normalisation, R ReLU,
# s sigmoid, 1- one minus; an op stands behind what it reads.
CORES = {"": "W3 B R W3", "_bottleneck": "W1 B R W3 B R W1", "_one_layer": "W3"}
FIGURES = {
    "original": "(x + x CORE B) R",  # 2(a), 4(a)
    "plain": "x CORE B R",  # Table 1, shortcut 0
    "constant_scaling": "(x 0.5 + x CORE B 0.5) R",  # 2(b)
    "exclusive_gating": "((x W1b s 1- * x) + (x W1b s * x CORE B)) R",  # 2(c)
    "shortcut_only_gating": "((x W1b s 1- * x) + x CORE B) R",  # 2(d)
    "conv1x1_shortcut": "(x W1 B + x CORE B) R",  # 2(e)
    "dropout_shortcut": "(x drop0.5 + x CORE B) R",  # 2(f)
    "bn_after_addition": "(x + x CORE) B R",  # 4(b)
    "relu_before_addition": "(x + x CORE B R)",  # 4(c)
    "relu_only_preactivation": "(x + x R CORE B)",  # 4(d)
    "full_preactivation": "(x + x B R CORE)",  # 4(e)
}


PAPERS = sorted(p.stem for p in FOLDER.rglob("*.yaml"))
WIDTHS = {
    "resnext": 16,
    "regnet_x": 8,
    "regnet_y": 32,
    "squeeze_excitation": 16,
}  # that groups divide, that a gate can narrow


def small(unit: str, *, width: int = 4, per_stage: int = 2, shape: tuple[int, int, int] = (3, 32, 32)) -> BoundNetwork:
    if unit == "dense":
        network = Use("densenet", {"depth": Node(26), "growth": Node(2 * width)}, Node("densenet"))
        larger = (shape[0], max(32, shape[1]), max(32, shape[2]))  # it halves the map five times
        return bind_network(Request(network, None, larger, 7), LIBRARY)
    width = WIDTHS[unit] * (2 if width > 4 else 1) if unit in WIDTHS else width
    layers = LIBRARY.unit(unit).boundary.layers.value
    assert isinstance(layers, int)
    params = {"depth": Node(3 * layers * per_stage + 2), "width": Node(width)}
    network = Use("resnet_cifar", params, Node("resnet_cifar"))
    return bind_network(Request(network, Use(unit, {}, Node(unit)), shape, 7), LIBRARY)


def formula(graph: Graph) -> str:
    """A graph as the paper's figures say it."""
    said = ["x"]
    for op in graph.ops:
        inputs = [said[i] for i in op.inputs]
        sign = {"add": " + ", "multiply": " * "}.get(op.op)
        said.append(f"({sign.join(inputs)})" if sign else f"{inputs[0]} {_word(op)}")
    return said[graph.output]


def _word(op: BoundOp) -> str:
    arguments = dict(op.arguments)
    if op.op == "conv":
        assert arguments["kernel"] in ((1, 1), (3, 3))
        return f"W{arguments['kernel'][0]}{'b' if arguments['bias'] else ''}"
    if op.op == "dropout":
        return f"drop{arguments['rate']:g}{'i' if arguments['inverted'] else ''}"
    if op.op == "scale":
        return f"{arguments['by']:g}"
    return {"bn": "B", "relu": "R", "sigmoid": "s", "one_minus": "1-", "subsample": "sub", "pad_channels": "pad"}[op.op]


def stem_of(unit: str) -> tuple[str, str]:
    """(the unit's name in FIGURES, what follows it)."""
    ending = next((e for e in ("_bottleneck", "_one_layer") if unit.endswith(e)), "")
    return unit.removesuffix(ending), ending


def test_the_papers_units_are_there_and_no_other() -> None:
    def names(folder: Path) -> set[str]:
        return {path.stem for path in folder.glob("*.yaml")}

    assert names(FOLDER) == PAPER
    assert names(FOLDER / "bottleneck") == {f"{name}_bottleneck" for name in PAPER}
    assert names(FOLDER / "one_layer") == {"original_one_layer", "full_preactivation_one_layer"}
    assert set(UNITS) >= PAPER


@pytest.mark.parametrize("unit", UNITS)
def test_named_explained_and_cited(unit: str) -> None:
    spec = LIBRARY.unit(unit)
    assert spec.name == unit == LIBRARY.find("unit", unit).stem
    assert len(spec.doc) > 20
    assert spec.cite.startswith("arXiv:")


@pytest.mark.parametrize("unit", PAPERS)
def test_it_is_the_papers_graph(unit: str) -> None:
    name, ending = stem_of(unit)
    wanted = FIGURES[name].replace("CORE", CORES[ending])
    bound = small(unit, per_stage=3)
    assert [formula(stage.units[1]) for stage in bound.stages] == [wanted] * 3
    assert [formula(stage.units[2]) for stage in bound.stages] == [wanted] * 3


@pytest.mark.parametrize("ending", ["", "_bottleneck", "_one_layer"])
def test_boundaries(ending: str) -> None:
    layers = {"": 2, "_bottleneck": 3, "_one_layer": 1}[ending]
    around = {"full_preactivation": ("x W3", "x B R"), "relu_only_preactivation": ("x W3 B", "x R")}
    for unit in (unit for unit in PAPERS if stem_of(unit)[1] == ending):
        assert LIBRARY.unit(unit).boundary.layers.value == layers
        bound = small(unit)
        after_last = Graph(bound.head.input_shape, bound.head.ops[:-2], len(bound.head.ops) - 2)
        assert (formula(bound.stem), formula(after_last)) == around.get(stem_of(unit)[0], ("x W3 B R", "x"))


@pytest.mark.parametrize(
    ("unit", "first", "transition"),
    [
        ("original", "(x + x CORE B) R", "(x sub pad + x CORE B) R"),
        ("full_preactivation", "(x B R + x B R CORE)", "(x B R sub pad + x B R CORE)"),
        ("relu_only_preactivation", "(x R + x R CORE B)", "(x R sub pad + x R CORE B)"),
        ("exclusive_gating", FIGURES["exclusive_gating"], "((x W1b s 1- * x sub pad) + (x W1b s * x CORE B)) R"),
        ("dropout_shortcut", "(x drop0.5 + x CORE B) R", "(x sub pad drop0.5 + x CORE B) R"),
        ("original_bottleneck", "(x W1 B + x CORE B) R", "(x W1 B + x CORE B) R"),
        ("full_preactivation_bottleneck", "(x B R W1 + x B R CORE)", "(x B R W1 + x B R CORE)"),
        ("full_preactivation_one_layer", "(x B R + x B R CORE)", "(x B R sub pad + x B R CORE)"),
    ],
)
def test_first_units_and_transitions(unit: str, first: str, transition: str) -> None:
    """Projections of pre-activation nets see the activated tensor and have no BN; the others are followed by BN."""
    core = CORES[stem_of(unit)[1]]
    bound = small(unit)
    assert formula(bound.stages[0].units[0]) == first.replace("CORE", core)
    for stage in bound.stages[1:]:
        assert formula(stage.units[0]) == transition.replace("CORE", core)


@pytest.mark.parametrize(
    ("stride_in", "strides"), [("first", [(2, 2), (1, 1), (1, 1)]), ("middle", [(1, 1), (2, 2), (1, 1)])]
)
@pytest.mark.parametrize("unit", sorted(f"{name}_bottleneck" for name in PAPER))
def test_where_a_bottleneck_strides(unit: str, stride_in: str, strides: list[tuple[int, int]]) -> None:
    network = Use("resnet_cifar", {"depth": Node(11), "width": Node(4)}, Node("resnet_cifar"))
    bound = bind_network(Request(network, Use(unit, {"stride_in": Node(stride_in)}, Node(unit))), LIBRARY)
    graph = bound.stages[1].units[0]
    inside = [op for op in graph.ops if op.op == "conv" and op.path.startswith("f.")]
    assert [dict(op.arguments)["stride"] for op in inside] == strides
    assert [op.shape[0] for op in inside] == [8, 8, 32]


@pytest.mark.parametrize(("width", "per_stage", "shape"), [(4, 1, (3, 32, 32)), (6, 2, (1, 14, 14))])
@pytest.mark.parametrize("unit", UNITS)
def test_it_runs_and_every_parameter_learns(unit: str, width: int, per_stage: int, shape: tuple[int, int, int]) -> None:
    bound = small(unit, width=width, per_stage=per_stage, shape=shape)
    network = build(bound)
    initialize_weights(
        network, canonical(bound).numbers, 2, "he_normal"
    )  # a seed with which no narrow gate starts out dead
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(6, *bound.input_shape, generator=generator)
    logits = network(images)
    assert logits.shape == (6, 7)
    still = {name for name, _ in network.named_parameters()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(5):  # where a factor or a layer starts at 0, what lies before it learns once that has moved
        optimizer.zero_grad()
        F.cross_entropy(network(images), torch.arange(6)).backward()
        still -= {n for n, p in network.named_parameters() if p.grad is not None and p.grad.count_nonzero()}
        optimizer.step()
    assert still == set()
    assert torch.isfinite(network.eval()(images)).all()


@pytest.mark.parametrize("network", LIBRARY.names("network"))
def test_networks_load_with_their_own_unit_input_and_classes(network: str) -> None:
    spec = LIBRARY.network(network)
    assert spec.name == network
    assert spec.doc
    assert spec.cite
    bound = bind_network(Request(Use(network, {}, Node(network))), LIBRARY)
    assert bound.input_shape == spec.input
    assert build(bound)(torch.empty(2, *bound.input_shape, device="meta")).shape == (2, spec.classes)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152, 200])
def test_imagenet_depths(depth: int) -> None:
    counts = {
        18: (2, 2, 2, 2),
        34: (3, 4, 6, 3),
        50: (3, 4, 6, 3),
        101: (3, 4, 23, 3),
        152: (3, 8, 36, 3),
        200: (3, 24, 36, 3),
    }
    unit = "original" if depth < 50 else "original_bottleneck"
    use = Use("resnet_imagenet", {"depth": Node(depth)}, Node("resnet_imagenet"))
    bound = bind_network(Request(use, Use(unit, {}, Node(unit))), LIBRARY)
    assert tuple(len(stage.units) for stage in bound.stages) == counts[depth]
    weights = sum(op.op in ("conv", "linear") and "shortcut" not in path for path, op in bound.ops())
    assert weights == depth


@pytest.mark.parametrize("block", LIBRARY.names("block"))
def test_blocks_load(block: str) -> None:
    spec = LIBRARY.block(block)
    assert spec.name == block
    assert spec.doc
    assert spec.cite


@pytest.mark.parametrize("change", ["pad", "pool_pad", "project", "pool_project"])
def test_every_way_to_change_the_shape(change: str) -> None:
    """Even and odd maps: the shortcut ends as large as F."""
    for shape in ((3, 32, 32), (3, 15, 9)):
        network = Use("resnet_cifar", {"depth": Node(8), "width": Node(4)}, Node("resnet_cifar"))
        asked = Use("original", {"change": Node(change)}, Node("original"))
        bound = bind_network(Request(network, asked, shape, 3), LIBRARY)
        shapes = [stage.units[0].output_shape for stage in bound.stages]
        assert shapes[1:] == [
            (8, (shape[1] + 1) // 2, (shape[2] + 1) // 2),
            (16, (shape[1] + 3) // 4, (shape[2] + 3) // 4),
        ]


@pytest.mark.parametrize("recipe", LIBRARY.names("recipe"))
def test_recipes_load(recipe: str) -> None:
    spec = parse_recipe(LIBRARY.read("recipe", LIBRARY.find("recipe", recipe)))
    assert spec.recipe == recipe
    assert spec.optimizer.lr == (0.4 if recipe == "airbench_like" else 0.1)
