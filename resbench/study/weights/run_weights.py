"""A run -> its network with the weights that it ended with: from the file that is kept, else trained again and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from resbench import __version__
from resbench.compiler.export.serialized import safetensors_bytes
from resbench.compiler.graph import BoundNetwork
from resbench.compiler.modules.network import build
from resbench.compiler.modules.weight_files import read_bytes
from resbench.errors import BadInput, DatabaseError, StorageError
from resbench.store.checkpoints.faults import OPTION, find_faults
from resbench.store.checkpoints.files import check_writable
from resbench.store.checkpoints.place import claim
from resbench.store.checkpoints.weights import ask_to_keep, keep_weights, kept_weights, read_weights_of
from resbench.store.open import Engine
from resbench.store.results.reading import RunDetail, run_detail
from resbench.study.weights.retraining import retrain
from resbench.workers.job import stored_network


@dataclass(frozen=True, slots=True)
class RunWeights:
    """`how`: KEPT, AGAIN or OTHER. `unkept`: why what was trained again is in no folder, where it could not be kept."""

    detail: RunDetail
    bound: BoundNetwork
    state: Mapping[str, Tensor]
    how: str
    unkept: str | None = None

    @property
    def title(self) -> str:
        run = self.detail.run
        error = "" if run.val_error_pct is None else f", val error {run.val_error_pct:.2f} % (n = 1)"
        return f"weights of run {run.id}: {self.bound.unit} in {self.bound.name}, seed {run.seed}{error}; {self.how}"

    @property
    def metadata(self) -> dict[str, str]:
        """Return what a file that leaves the database says of itself."""
        run = self.detail.run
        metadata = {
            "network": self.bound.name, "unit": self.bound.unit, "digest": run.architecture, "recipe": run.recipe,
            "data": run.data, "data_set": self.detail.data.name, "seed": str(run.seed), "run": str(run.id),
            "resbench": __version__,
            "study": ", ".join(dict.fromkeys(study for study, _ in self.detail.studies)),
        }  # fmt: skip
        return metadata if self.how != OTHER else metadata | {"bits": "trained again, with other numbers than the run"}

    def file(self) -> bytes:
        return safetensors_bytes(self.state, self.metadata)


KEPT, AGAIN, OTHER = "kept", "trained again", "trained again, with other numbers"


def weights_of_run(
    engine: Engine,
    folder: Path,
    run_id: int,
    on_epoch: Callable[[int, float], None],
    *,
    other_bits: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> RunWeights:
    """Return the weights of a run that is complete. A kept file that is missing, damaged or of another run is trained again.

    Args:
        folder: of checkpoints; it is written to before anything is trained, so that a bad one costs no training.
        on_epoch: given every epoch and its val error in percent, where it is trained again.
        other_bits: take them also where the numbers are others than the run's; then they are not kept under it.
        note: given why the run is trained again, before it is.

    Raises:
        BadInput: for a run that is not complete, a folder that holds other files, and where its numbers do not come again.
        StorageError: where the folder takes no file.
    """
    detail, bound, state = kept_of_run(engine, folder, run_id)
    if state is not None:
        ask_to_keep(engine, run_id)
        return RunWeights(detail, bound, state, KEPT)
    news = claim(engine, folder)
    check_writable(engine, folder)
    if news is not None:
        note(news)
    note(f"{explain_missing(engine, folder, run_id)}; it is trained again")
    again = retrain(engine, run_id, on_epoch)
    assert again.weights is not None or not again.same
    if not again.same and not other_bits:
        raise BadInput(
            f"run {run_id}: its weights are not kept, and trained again here it has {again.now} % of val error, not {again.was} "
            f"%: {again.why}; --other-bits takes what came of it"
        )
    if again.weights is None:
        raise BadInput(f"run {run_id}: trained again here it diverged: {again.why}")
    unkept = None
    if again.same:
        try:
            keep_weights(engine, folder, run_id, again.weights)
        except (StorageError, DatabaseError) as error:
            unkept = f"run {run_id}: its weights could not be kept: {error}"
    return RunWeights(detail, bound, read_bytes(again.weights)[0], AGAIN if again.same else OTHER, unkept)


def explain_missing(engine: Engine, folder: Path, run_id: int) -> str:
    """Say what is wrong with the file that is kept, or that there is none."""
    kept = kept_weights(engine, [run_id]).values()
    if not kept:
        return f"run {run_id}: no weights are kept"
    fault = next(iter(find_faults(engine, folder, kept)), None)
    if fault is None:
        return f"run {run_id}: the file of weights that its row names is of another run or network"
    return f"{fault}" if fault.damaged else f"{fault}; {OPTION}"


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
    """Return None for a file that is another run's, or does not hold just the tensors of the network."""
    try:
        state, metadata = read_bytes(content)
    except ValueError:
        return None
    own = {name: (t.shape, t.dtype) for name, t in build(bound).state_dict().items()}
    fits = own == {name: (t.shape, t.dtype) for name, t in state.items()}
    return state if fits and identity.items() <= metadata.items() else None
