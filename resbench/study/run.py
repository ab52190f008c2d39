"""`study run` -> this process is the study's coordinator, or a worker beside the one that is and its successor."""

from __future__ import annotations

from resbench.errors import LeaseLost
from resbench.store.connection.retry import Patience
from resbench.store.open import Engine
from resbench.store.results.checkpoints import sweep
from resbench.study.coordinator import Coordinator
from resbench.study.request import RunOptions, StudyRequest
from resbench.study.resources.resources import Resources
from resbench.study.trackers.tracking import tracked
from resbench.workers.assist import assist, take_coordinator_role
from resbench.workers.events import Progress
from resbench.workers.processes import worker_record
from resbench.workers.shutdown import Shutdown
from resbench.workers.worker import WorkerOptions, claim_folder, register_worker


def run_study(
    engine: Engine,
    request: StudyRequest,
    resources: Resources,
    options: RunOptions,
    *,
    progress: Progress,
    shutdown: Shutdown,
) -> bool:
    """Train what is missing of a study. Returns whether every cell came to its end; one that fails stops no other.

    Args:
        engine: The database.
        request: The study and its points.
        resources: The machine that plans, and trains where no other does.
        options: How it is run.
        progress: What a person is shown.
        shutdown: What signals ask of this process.

    Raises:
        Stopped: After a request to stop, with everything under way kept and given back.
    """
    spec = request.spec
    record = worker_record(spec.name, resources.device, options.workers or 1, options.tags)
    patience = Patience(note=progress.note, stopped=lambda: bool(shutdown.requested))
    own = WorkerOptions(
        url=options.url,
        folder=resources.folder,
        device=resources.device,
        tags=options.tags,
        lease_s=options.lease_s,
        start_method=options.start_method,
    )
    with register_worker(engine, record, own, shutdown, patience) as worker:
        news = claim_folder(worker, patience)
        if news is not None:
            progress.note(news)
        while True:
            role = patience.do(lambda: take_coordinator_role(worker))
            if role is None:
                assist(
                    worker,
                    resources.trainers,
                    progress,
                    count=resources.slots() if options.workers is None else options.workers,
                    memory=resources.memory,
                    epochs={point.name: point.epochs for point in request.points},
                    kind=options.executor,
                    cluster=options.cluster,
                )
                continue
            try:
                now = patience.do(lambda: request.as_stored(engine))
                with tracked(engine, spec.name, options.trackers, progress, shutdown) as shown:
                    complete = Coordinator(worker, now, resources, options, progress=shown, role=role).run()
            except LeaseLost as error:
                progress.note(f"{error}; this process goes on as a worker beside it")
                continue
            patience.do(lambda: sweep(engine, resources.folder))
            return complete
