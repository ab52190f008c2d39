"""A unit, by name, file, mapping or loaded -> its picture."""

from __future__ import annotations

from os import PathLike, fspath

from resbench.api.architecture.picture import picture_of
from resbench.api.architecture.unit import NETWORK, Place, UnitLike, load_unit
from resbench.api.architecture.value import Value, to_nodes
from resbench.api.architecture.words import split_words
from resbench.drawing.picture import Picture
from resbench.language.study.command_line import word_value


def draw(
    unit: UnitLike,
    *words: str,
    network: str | PathLike[str] = NETWORK,
    place: Place | str | None = None,
    data: str | None = None,
    **params: Value,
) -> Picture:
    """Draw a unit's graph at one place of a network, with the shape, the parameters and the MACs of every op.

    Args:
        unit: A name, a file, a mapping or a loaded unit, as `resbench.load_unit` takes it.
        words: The same as `network`, `data` and `params`, as `resbench unit show` takes them: `"width=8"`.
        network: The name or the file of the network.
        place: `first`, `inner`, `transition` or `all`; None is the inner place, or where there is none the first.
        data: A data set whose images the network takes; None for those that its file names.
        params: Values for params of the unit or of the network.

    Returns:
        The picture, with `.svg`, `.text` and `.save("unit.png")`. Notebooks show it.

    Raises:
        SpecError: With every problem of the unit's file.
        BadInput: For a place that the unit does not have there, or a name that is unknown.

    Example:
        >>> import resbench as rb
        >>> print(rb.draw("plain", width=8).text.splitlines()[2])
        inner place in resnet_cifar (stages.0.units.1): 8×32×32 → 8×32×32, 1.18k params · 1.18M MACs
    """
    found = load_unit(unit)
    split = split_words((f"network={fspath(network)}", *(() if data is None else (f"data={data}",)), *words))
    given = {key: word_value(text, f"{key}={text}") for key, text in split[2].items()}
    return picture_of(found.spec, found.bind_nodes(split[0], {**given, **to_nodes(params)}, split[1]), place)
