"""One point of a study's space, bound and priced.  No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resbench.compiler.graph import BoundNetwork
from resbench.errors import Problem
from resbench.language.graph.params import Domain
from resbench.language.recipe.recipe import RecipeSpec
from resbench.language.yaml.node import Node


@dataclass(frozen=True, slots=True)
class Point:
    """A network, a unit and a recipe that a study looks at.

    Attributes:
        name: What tables show.
        unit: The unit's name.
        labels: The choices made, by question.
        domains: What each question allows.
        bound: The network.
        digest: Of the network.
        params: How many.
        macs: Multiply-adds of one image.
        recipe: How it is trained.
        epochs: Of a run.
        written: The unit, where the study wrote it itself.
    """

    name: str
    unit: str
    labels: Mapping[str, str]
    domains: Mapping[str, Domain]
    bound: BoundNetwork
    digest: str
    params: int
    macs: int
    recipe: RecipeSpec
    epochs: int
    written: Node | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A point of a search that cannot be built, is over the budget or too large for memory; `problems`: why, the first reason
    first.
    """

    name: str
    problems: tuple[Problem, ...]
