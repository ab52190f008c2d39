"""Files of weights of strangers: each is read into the network, or refused with its name and without a change of it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from command_line import say
from fuzz_case import Figures, cases, chunks, ended, kept
from fuzz_weights import safetensors_file, torch_bytes, torch_file
from safetensors.torch import save
from torch import nn

from resbench.compiler.binding.network import Request, bind_network
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import initialize_weights
from resbench.compiler.modules.load_weights import load_weights
from resbench.compiler.modules.network import build
from resbench.language.graph.network import Use
from resbench.language.library.library import Library
from resbench.language.yaml.node import Node
from resbench.ops.schema import table
from resbench.verify import reference

SAMPLE, WANTED = 120, 2_000
WORDS = ("resnet_cifar", "unit=plain", "depth=8", "width=2")


def network() -> nn.Module:
    use = Use("resnet_cifar", {"depth": Node(8), "width": Node(2)}, Node("resnet_cifar"))
    bound = bind_network(Request(use, Use("plain", {}, Node("plain"))), Library(table()))
    made = build(bound)
    initialize_weights(made, canonical(bound).numbers, 0, "he_normal")
    return made


@pytest.fixture(scope="module", autouse=True)
def whole(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that is not broken goes in by every way; and what these import is charged to no case."""
    folder, made = tmp_path_factory.mktemp("whole"), network()
    weights = dict(made.state_dict())
    for name, content in (("x.safetensors", save(weights)), ("x.pth", torch_bytes(weights))):
        (folder / name).write_bytes(content)
        load_weights(made, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "reference", lambda name, classes, arguments: network())
        for words in commands("x.safetensors"):
            assert say(words, folder).status == 0, words


@pytest.mark.parametrize("chunk", chunks(SAMPLE))
def test_a_broken_file_of_weights_is_read_or_refused(
    chunk: int, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = network()
    weights = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    monkeypatch.setattr(reference, "reference", lambda name, classes, arguments: network())
    for number in cases(chunk, SAMPLE, WANTED):
        with figures.case(number) as rng, kept(tmp_path) as folder:
            plain = rng.random() < 0.6
            path = folder / f"broken.{'safetensors' if plain else rng.choice(['pth', 'pt', 'bin'])}"
            path.write_bytes((safetensors_file if plain else torch_file)(weights, rng))
            use(path, made, rng)
            made.load_state_dict(weights)


def commands(name: str) -> tuple[tuple[str, ...], ...]:
    given = ("--weights", name, "-o")
    return (
        ("net", "export", *WORDS, *given, "out.safetensors"),
        ("net", "import-weights", *WORDS, "--against", "torchvision:any", *given, "ours.safetensors"),
    )


def use(path: Path, made: nn.Module, rng: Random) -> None:
    """What the command line does with such a file; most often without it."""
    before = path.read_bytes()
    ended(lambda: load_weights(made, path), path.name)
    if rng.random() < 0.05:
        for words in commands(path.name):
            said = say(words, path.parent)
            assert said.status == 0 or (said.status == 2 and path.name in said.err), said
    assert path.read_bytes() == before
    assert {one.name for one in path.parent.iterdir()} <= {path.name, "out.safetensors", "ours.safetensors"}
