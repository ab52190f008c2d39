"""A run -> its network with the weights that it ended with: from the file that is kept, else trained again and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from resbench.compiler.export import safetensors_bytes
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.network import build
from resbench.compiler.weights import read_bytes
from resbench.errors import BadInput
from resbench.store.checkpoint_place import claim
from resbench.store.engine import Engine
from resbench.store.reading import RunDetail, run_detail
from resbench.store.weights import ask_to_keep, keep_weights, read_weights_of
from resbench.study.job import stored_network
from resbench.study.retraining import retrain


@dataclass(frozen=True, slots=True)
class RunWeights:
    """`how`: KEPT, AGAIN or OTHER."""

    detail: RunDetail
    bound: BoundNetwork
    state: Mapping[str, Tensor]
    how: str

    @property
    def title(self) -> str:
        run = self.detail.run
        error = "" if run.val_error_pct is None else f", val error {run.val_error_pct:.2f} % (n = 1)"
        return f"weights of run {run.id}: {self.bound.unit} in {self.bound.name}, seed {run.seed}{error}; {self.how}"

    @property
    def metadata(self) -> dict[str, str]:
        """What a file that leaves the database says of itself."""
        run = self.detail.run
        said = {
            "network": self.bound.name, "unit": self.bound.unit, "digest": run.architecture, "recipe": run.recipe,
            "data": run.data, "data_set": self.detail.data.name, "seed": str(run.seed), "run": str(run.id),
            "study": ", ".join(dict.fromkeys(study for study, _ in self.detail.studies)),
        }  # fmt: skip
        return said if self.how != OTHER else said | {"bits": "trained again, with other numbers than the run"}

    def file(self) -> bytes:
        return safetensors_bytes(self.state, self.metadata)


KEPT, AGAIN, OTHER = "kept", "trained again", "trained again, with other numbers"


def weights_of_run(
    engine: Engine, folder: Path, run_id: int, on_epoch: Callable[[int, float], None], *, other_bits: bool = False
) -> RunWeights:
    """The weights of a run that is complete. A kept file that is missing, damaged or of another network is trained again.

    Args:
        folder: of checkpoints.
        on_epoch: given every epoch and its val error in percent, where it is trained again.
        other_bits: take them also where the numbers are others than the run's; then they are not kept under it.

    Raises:
        BadInput: for a run that is not complete, and where its numbers do not come again.
        StorageError: where what was trained cannot be kept.
    """
    detail, bound, state = kept_of_run(engine, folder, run_id)
    if state is not None:
        ask_to_keep(engine, run_id)
        return RunWeights(detail, bound, state, KEPT)
    again = retrain(engine, run_id, on_epoch)
    assert again.weights is not None or not again.same
    if not again.same and not other_bits:
        raise BadInput(
            f"run {run_id}: its weights are not kept, and trained again here it has {again.now} % of val error, not {again.was} "
            f"%: {again.why}; --other-bits takes what came of it"
        )
    if again.weights is None:
        raise BadInput(f"run {run_id}: trained again here it diverged: {again.why}")
    if again.same:
        claim(engine, folder)
        keep_weights(engine, folder, run_id, again.weights)
    return RunWeights(detail, bound, read_bytes(again.weights)[0], AGAIN if again.same else OTHER)


def kept_of_run(
    engine: Engine, folder: Path, run_id: int
) -> tuple[RunDetail, BoundNetwork, Mapping[str, Tensor] | None]:
    """Return the run, its network, and the weights that are kept: None where no file of this network is. Nothing is written.

    Raises BadInput for a run that is not complete.
    """
    detail = run_detail(engine, run_id)
    if detail.run.status != "complete":
        raise BadInput(f"run {run_id} is {detail.run.status}; only a complete run has weights to take home")
    bound = stored_network(engine, detail.run.architecture)
    content = read_weights_of(engine, folder, run_id)
    return detail, bound, None if content is None else _state(bound, content, _identity(detail))


def _identity(detail: RunDetail) -> dict[str, str]:
    run = detail.run
    return {"digest": run.architecture, "recipe": run.recipe, "data": run.data, "seed": str(run.seed)}


def _state(bound: BoundNetwork, content: bytes, identity: Mapping[str, str]) -> Mapping[str, Tensor] | None:
    """None for a file that is another run's, or does not hold just the tensors of the network."""
    try:
        state, said = read_bytes(content)
    except ValueError:
        return None
    own = {name: (t.shape, t.dtype) for name, t in build(bound).state_dict().items()}
    fits = own == {name: (t.shape, t.dtype) for name, t in state.items()}
    return state if fits and identity.items() <= said.items() else None
