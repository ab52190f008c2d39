"""Two networks and images -> the pairs of corresponding parameters.

The reference is run once, and every operation on parameters is recorded with its inputs and outputs. Our network is then run with
the reference's weights, copied one use at a time: the partner of a use has its sizes, reads the same numbers and returns the same
numbers. If several do, the one with the most similar place in the graph is tried first; if a later use then has no partner, the
next is tried. If no assignment works, the networks are not equal, and the rest is paired by place only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from resbench.errors import BadInput
from resbench.language.yaml.problems import listed
from resbench.verify.fingerprint import fingerprint, same
from resbench.verify.likeness import likeness
from resbench.verify.trace import INPUT, TensorUse, bare, shown, trace
from resbench.verify.weights import tensors

EFFORT = 60  # evaluations of our network, in all; most tries are a part of one
OUTPUT = "the two first differ at the output: every operation on parameters gives the same numbers in both"
BY_HAND = "`--map FILE` takes pairs by name, a line `ours: the reference's` for each"


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs found. `names`: the other network's parameter or buffer for each of ours.

    `parts`: where the numbers first differ, in words; empty if they agree. Then `open` is empty too, else it lists the uses with
    several possible partners; `tries`: assignments that were tried.
    """

    names: Mapping[str, str]
    parts: str = ""
    open: tuple[str, ...] = ()
    tries: int = 0


class _Stuck(Exception):  # noqa: N818  (it is not an error: another assignment is tried)
    pass


def pair(ours: nn.Module, theirs: nn.Module, images: Tensor, given: Mapping[str, str]) -> Pairing:
    """Pair two networks of the images' type, float64; our network keeps the reference's weights.

    `given` sets pairs by name. Raises BadInput if a use on either side has no counterpart.
    """
    search = _Search(ours, theirs, images, given)
    if search.exact():
        return Pairing(search.names, tries=search.tries)
    search.walk(exact=False)
    left = search.left()
    if left:
        raise BadInput(
            f"the reference: expected a counterpart in the network for each operation on parameters, got {len(left)} without "
            f"one, the first with {left[0].names[0]}; {search.parts or BY_HAND}"
        )
    return Pairing(search.names, search.parts or OUTPUT, search.undecided(), search.tries)


class _Search:
    """A backtracking search by runs of our network. `options`: remaining partners of a use, by number; the first is used."""

    def __init__(self, ours: nn.Module, theirs: nn.Module, images: Tensor, given: Mapping[str, str]) -> None:
        self.network, self.images, self.given = ours, images, given
        self.want, self.have = tensors(ours), tensors(theirs)
        self.transfer(given)
        self.goal = trace(theirs, images)
        self.theirs = self.goal.uses
        self.ours = trace(ours, images).uses
        self.alike = likeness(self.ours, self.theirs)
        self.options: dict[int, list[int]] = {}
        self.tries = self.effort = 0
        self.begin()

    def begin(self) -> None:
        self.names: dict[str, str] = dict(self.given)
        self.partner = {INPUT: INPUT}
        self.free = dict(enumerate(self.theirs))
        self.parts = ""
        self.number = 0

    def exact(self) -> bool:
        """Search an assignment with which all numbers agree; if there is none, keep the options of the longest partial one."""
        furthest, kept = -1, dict[int, list[int]]()
        while self.effort < EFFORT * len(self.ours):
            try:
                self.walk(exact=True)
                return True
            except _Stuck:
                if self.number > furthest:
                    furthest, kept = self.number, {n: list(options) for n, options in self.options.items()}
                culprit = self.culprit(self.number)
                if culprit is None:
                    break
                self.options = {n: options for n, options in self.options.items() if n <= culprit}
                self.options[culprit].pop(0)
        self.options = kept
        return False

    def culprit(self, stuck: int) -> int | None:
        """Return the last use with another option that is an ancestor of the stuck use, or whose partner would fit an
        ancestor.
        """
        feeding, todo = set[int](), [stuck]
        while todo:
            number = todo.pop()
            feeding.add(number)
            sources = (
                self.ours[number].sources if number < len(self.ours) else range(number)
            )  # the output depends on all
            todo += [s for s in sources if s != INPUT and s not in feeding]
        sizes = {self.ours[number].sizes for number in feeding if number < len(self.ours)}
        found = [
            n
            for n, options in self.options.items()
            if len(options) > 1
            and n < stuck
            and (n in feeding or any(_fit(one, self.theirs[options[0]].sizes) for one in sizes))
        ]
        return max(found, default=None)

    def walk(self, *, exact: bool) -> None:
        """Run our network once. Raises _Stuck if `exact` and numbers differ, BadInput if a use has no counterpart at all."""
        self.begin()
        self.tries += 1

        def visit(use: TensorUse, run: Callable[[], TensorUse], repeatable: bool) -> TensorUse:
            found = self.visit(use, run, repeatable, exact)
            self.number, self.effort = self.number + 1, self.effort + 1
            return found

        output = trace(self.network, self.images, visit).output
        if exact and (self.left() or not _equal(output, self.goal.output)):
            raise _Stuck

    def visit(self, use: TensorUse, run: Callable[[], TensorUse], repeatable: bool, exact: bool) -> TensorUse:
        if all(name in self.names for name in use.names):
            self.take(use, [j for j, other in self.free.items() if other.names == self.theirs_of(use)][:1])
            return run()
        fitting = [j for j, o in self.free.items() if _fit(use.sizes, o.sizes) and self.agree(use, o)]
        fitting.sort(key=lambda j: self.rank(use, j), reverse=True)
        options = self.options.get(self.number)
        if options is None:
            options = [j for j in fitting if same(use.reads, self.theirs[j].reads)]
            if repeatable:
                options = [j for j in options if self.gives_the_same(use, j, run)]
        if options:
            self.options[self.number] = options
            return self.use_weights(use, options[0], run)
        if exact:
            raise _Stuck
        if not fitting:
            self.lack(use)
        self.parts = self.parts or self.parting(use, fitting)
        return self.use_weights(use, fitting[0], run)

    def gives_the_same(self, use: TensorUse, j: int, run: Callable[[], TensorUse]) -> bool:
        self.transfer(dict(zip(use.names, self.theirs[j].names, strict=True)))
        found, wanted = run().gives, self.theirs[j].gives
        return found is not None and wanted is not None and found.same(wanted)

    def use_weights(self, use: TensorUse, j: int, run: Callable[[], TensorUse]) -> TensorUse:
        """Fix the partner of a use, and run the use with the partner's weights."""
        self.take(use, [j])
        self.transfer({name: self.names[name] for name in use.names})
        return run()

    def rank(self, use: TensorUse, j: int) -> tuple[bool, int, bool, bool, int]:
        """Return the sort key of a partner, larger is likelier: same place, same stride, then the first."""
        other, mine = self.theirs[j], self.ours[self.number]
        fed = other.sources == frozenset(self.partner.get(s) for s in use.sources)
        return fed, self.alike(self.number, j), mine.numel == other.numel, same(use.reads, other.reads), -j

    def take(self, use: TensorUse, chosen: Sequence[int]) -> None:
        for j in chosen:
            self.names |= zip(use.names, self.theirs[j].names, strict=True)
            self.partner[self.number] = j
            del self.free[j]

    def theirs_of(self, use: TensorUse) -> tuple[str, ...]:
        return tuple(self.names[name] for name in use.names)

    def agree(self, use: TensorUse, other: TensorUse) -> bool:
        """Return whether a pair is consistent with the names paired so far, in both directions: no parameter has two partners."""
        taken = set(self.names.values())
        return all(
            self.names[mine] == its if mine in self.names else its not in taken
            for mine, its in zip(use.names, other.names, strict=True)
        )

    @torch.no_grad()
    def transfer(self, names: Mapping[str, str]) -> None:
        for name, other in names.items():
            self.want[name].copy_(self.have[other].reshape(self.want[name].shape))

    def left(self) -> list[TensorUse]:
        """Return the uses of the reference with a parameter that is not paired."""
        taken = set(self.names.values())
        return [use for use in self.free.values() if not taken.issuperset(use.names)]

    def undecided(self) -> tuple[str, ...]:
        return tuple(
            f"{self.ours[n].names[0]}: {listed([self.theirs[j].names[0] for j in options], 5)} fit, the first was used"
            for n, options in sorted(self.options.items())
            if len(options) > 1
        )

    def parting(self, use: TensorUse, fitting: Sequence[int]) -> str:
        """Return where the numbers first differ, in words."""
        other = self.theirs[fitting[0]]
        verb = "returns other numbers than" if same(use.reads, other.reads) else "reads other numbers than"
        place = self.rank(use, fitting[0])[:3]
        more = [self.theirs[j].names[0] for j in fitting[1:] if self.rank(use, j)[:3] == place]
        rest = f" ({listed(more, 5)} would fit as well; {BY_HAND})" if more else ""
        return f"the two first differ at {use.names[0]}: it {verb} {other.names[0]}{rest}"

    def lack(self, use: TensorUse) -> None:
        """Raise BadInput: no use of the reference fits."""
        near = [other.names[0] for other in self.free.values() if _fit(use.sizes, other.sizes)]
        following = next((other for other in self.free.values()), None)
        got = "none"
        if near:
            got = f"none that is free of other pairs ({listed(near, 5)} has such parameters)"
        elif following is not None:
            got = f"none with parameters of its sizes (the next is {following.names[0]}, {shown(following.sizes)})"
        raise BadInput(
            f"{use.names[0]} ({shown(use.sizes)}): expected a counterpart among the {len(self.free)} operations left in the "
            f"reference, got {got}; {self.parts or BY_HAND}"
        )


def _fit(ours: Sequence[tuple[int, ...]], theirs: Sequence[tuple[int, ...]]) -> bool:
    """Return whether sizes are equal except for ones; of kernels with equally many axes, in order: a 1x7 is not a 7x1."""
    return len(ours) == len(theirs) and all(
        bare(a) == bare(b) and (len(a) != len(b) or len(bare(a)) < 2 or a == b)
        for a, b in zip(ours, theirs, strict=True)
    )


def _equal(ours: Tensor, theirs: Tensor) -> bool:
    """Return whether two outputs are equal element by element, up to rounding."""
    if ours.shape != theirs.shape:
        return False
    return fingerprint(ours).same(fingerprint(theirs)) and bool(
        (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()
    )
