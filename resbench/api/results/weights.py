"""A run whose weights are kept -> its network, as it was trained."""

from __future__ import annotations

from pathlib import Path

from resbench.api.architecture.network import BuiltNetwork
from resbench.compiler.identity.canonical import canonical
from resbench.compiler.modules.initialize import to_cpu
from resbench.compiler.modules.network import build
from resbench.errors import BadInput
from resbench.escape import shell_line
from resbench.store.connection.transaction import shown
from resbench.store.open import Engine
from resbench.study.weights.run_weights import explain_missing, kept_of_run


def load_run(engine: Engine, folder: Path, run_id: int) -> BuiltNetwork:
    """Return the network with the weights that the run ended with. Raises BadInput where they are not kept in the folder."""
    detail, bound, state = kept_of_run(engine, folder, run_id)
    if state is None:
        command = shell_line(["resbench", "results", "weights", str(run_id), "--db", shown(engine)])
        raise BadInput(
            f"{bound.unit}, seed {detail.run.seed}: {explain_missing(engine, folder, run_id)}; "
            f"`{command}` trains it again, bit for bit, and keeps them"
        )
    network = build(bound)
    network.apply(to_cpu)
    network.load_state_dict(state)
    built = BuiltNetwork(bound, network, canonical(bound))
    built.eval()
    return built
