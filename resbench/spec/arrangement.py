"""One order of ops on the branch, on the shortcut and after the addition, and the rules that orders may have to keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The names of the ops, in their order, at each of PLACES."""

    branch: tuple[str, ...]
    shortcut: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """
        >>> Arrangement(("conv", "bn", "relu", "conv", "bn"), after=("relu",)).name
        'conv_bn_relu_conv_bn_add_relu'
        >>> Arrangement(("conv", "relu", "conv"), ("bn",)).name
        'conv_relu_conv_beside_bn_add'
        """
        beside = ["beside", *self.shortcut] if self.shortcut else []
        return "_".join([*self.branch, *beside, "add", *self.after])


Rule = Callable[[Arrangement, frozenset[str]], bool]


def _a_conv_on_branch(one: Arrangement, weights: frozenset[str]) -> bool:
    return any(op in weights for op in one.branch)


def _all_convs_on_branch(one: Arrangement, weights: frozenset[str]) -> bool:
    return not any(op in weights for op in (*one.shortcut, *one.after))


def _no_two_equal_in_a_row(one: Arrangement, weights: frozenset[str]) -> bool:
    return all(a != b for ops in (one.branch, one.shortcut, one.after) for a, b in pairwise(ops))


RULES: Mapping[str, Rule] = {
    "a_conv_on_branch": _a_conv_on_branch,
    "all_convs_on_branch": _all_convs_on_branch,
    "no_two_equal_in_a_row": _no_two_equal_in_a_row,
}
USUAL = ("a_conv_on_branch", "no_two_equal_in_a_row")
