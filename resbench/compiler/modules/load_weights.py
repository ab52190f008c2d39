"""Load the named tensors of a file into a network, all or none; report those that do not fit on either side.

Wrappers put a prefix before every name (`module.` of DataParallel, `_orig_mod.` of torch.compile, `model.` of Lightning): of the
prefixes that all names share, the one is removed that leaves the most names that the network has.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from resbench.compiler.modules.weight_files import Named, read_weights
from resbench.errors import WeightsError
from resbench.escape import printable

DEEPEST = 8  # the most parts of a prefix
LONGEST_NAME = 200  # the most characters shown of a name
COUNTER = "num_batches_tracked"  # of a norm; old files lack it, and no computation uses it
AVERAGED = "n_averaged"  # AveragedModel's counter, beside the names behind `module.`


def load_weights(network: nn.Module, path: Path, remedy: str = "") -> None:
    """Load every tensor of the network from a file, and no other.

    Args:
        remedy: A sentence on what to do, for the message.
    Raises:
        WeightsError: Names, shapes or dtypes do not fit; nothing was loaded.
        BadInput: The file holds no readable weights.
    """
    fit(network, read_weights(path), printable(str(path), 200), remedy)


def fit(network: nn.Module, given: Named, whose: str, remedy: str = "") -> None:
    """Load named tensors, whose source is `whose`. Raise WeightsError as `load_weights` does."""
    own = network.state_dict()
    named = without_prefix(given, own)
    wrong = {what: lines for what, lines in _misfits(own, named).items() if lines}
    if wrong:
        fitting = len({*own} & {*named} - {name for name, _ in _unlike(own, named)})
        counts = f"expected the {len(own)} tensors of the network, got {len(given)}, of which {fitting} fit"
        head = f"{whose}: weights do not fit: {counts}"
        listed = [line for what, lines in wrong.items() for line in (f"  {what}, {len(lines)}:", *lines)]
        raise WeightsError("\n".join([f"{head}; {remedy}" if remedy else head, *listed]))
    whole = OrderedDict({**{name: own[name] for name in own if _is_counter(name)}, **named})
    # A file may lack the version that torch keeps beside names and tensors, and some networks insist on one.
    whole._metadata = getattr(own, "_metadata", {})  # type: ignore[attr-defined]
    try:
        network.load_state_dict(whole)
    except (RuntimeError, ValueError) as error:  # a network may refuse for other reasons
        raise WeightsError(f"{whose}: weights do not fit: {printable(' '.join(str(error).split()), 300)}") from None


def without_prefix(given: Named, own: Mapping[str, Tensor]) -> Named:
    """Return the tensors under the network's names, where these differ only by a prefix."""
    counted = {name: tensor for name, tensor in given.items() if name != AVERAGED or name in own}
    prefixes = ["", *_shared_prefixes(list(counted))]
    best = max(prefixes, key=lambda prefix: sum(name.removeprefix(prefix) in own for name in counted))
    return {name.removeprefix(best): tensor for name, tensor in counted.items()} if best else given


def _shared_prefixes(names: list[str]) -> Iterator[str]:
    """Return the prefixes (`a.`, `a.b.`) with which every name begins, and after which it continues."""
    parts = [name.split(".", DEEPEST)[:-1] for name in names]
    prefix = ""
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            return
        prefix += f"{level[0]}."
        yield prefix


def _misfits(own: Mapping[str, Tensor], given: Named) -> dict[str, list[str]]:
    """Return the misfits by kind, with a line for each tensor."""
    return {
        "not in the file": [_line(name) for name in own if name not in given and not _is_counter(name)],
        "in the file alone": [_line(name) for name in given if name not in own],
        "of another kind": [_line(name, words) for name, words in _unlike(own, given)],
    }


def _unlike(own: Mapping[str, Tensor], given: Named) -> Iterator[tuple[str, str]]:
    """Return the common tensors with different shapes, or with a dtype that loses precision when it is copied."""
    for name, ours in own.items():
        theirs = given.get(name, ours)
        if theirs.shape != ours.shape:
            yield name, f"the shape is {tuple(theirs.shape)} in the file, {tuple(ours.shape)} in the network"
        elif _kind(theirs.dtype) != _kind(ours.dtype):
            yield name, f"the numbers are {theirs.dtype} in the file, {ours.dtype} in the network"


def _line(name: str, words: str = "") -> str:
    return f"    {printable(name, LONGEST_NAME)}{f': {words}' if words else ''}"


def _is_counter(name: str) -> bool:
    return name.rpartition(".")[2] == COUNTER


def _kind(dtype: torch.dtype) -> tuple[bool, bool]:
    return dtype.is_floating_point, dtype.is_complex
