"""The points of a study -> a table of how each would be trained on this machine; nothing is trained or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from resbench.cli.echo import echo
from resbench.cli.output import print_json, print_table

if TYPE_CHECKING:
    import torch

    from resbench.language.study.study import StudySpec
    from resbench.search.point import Point


def explain_plan(spec: StudySpec, points: Sequence[Point], device: torch.device, json: bool) -> None:
    from resbench.data.registry import info
    from resbench.measure.memory_check import device_memory
    from resbench.study.planning import Planner, bfloat16_gain, cores, workers
    from resbench.workers.cell_plan import seed_stacks

    about = info(str(spec.data.name), spec.data.given)
    planner = Planner(None, "", about, device, device_memory(device))
    plans = [planner.plan(point, spec.seeds) for point in points]
    team = workers([(point, len(spec.seeds)) for point in points], plans, about.n_train, device)
    if json:
        rows = [{"unit": p.name, **asdict(plan)} for p, plan in zip(points, plans, strict=True)]
        print_json({"device": str(device), "cores": cores(), "workers": team, "plans": rows})
        return
    print_table(
        ["unit", ">seeds as one", "way", ">threads", ">ms a step and seed", ">one by one"],
        [
            [
                point.name,
                " + ".join(
                    f"{len(block.wanted)} of {len(block.seeds)}" for block in seed_stacks(spec.seeds, plan.width)
                ),
                plan.way,
                str(plan.threads),
                "–" if plan.step_s is None else f"{1000 * plan.step_s:.1f}",
                str(len(plan.one_by_one) or "–"),
            ]
            for point, plan in zip(points, plans, strict=True)
        ],
    )
    how = (
        "Measured, a few steps each:"
        if any(plan.measured for plan in plans)
        else "By the networks' shapes, not by time."
    )
    echo(f"{team} worker{'s' * (team > 1)} on {device}, {cores()} cores. {how}")
    for measured in dict.fromkeys(plan.measured for plan in plans):
        for each in measured:
            how = f"{each.layout}{' compiled' * each.compiled}, {each.threads} thread{'s' * (each.threads > 1)}"
            what = f"{each.width} as one, {how}"
            echo(f"  {what:45} {1000 * each.step_s:8.1f} ms")
    for plan in dict.fromkeys(plans):
        for path, reason in list(plan.one_by_one.items())[:1]:
            echo(f"ops such as {path} run seed by seed: {reason}")
    for reason in dict.fromkeys(plan.not_compiled for plan in plans if plan.not_compiled):
        echo(f"not compiled: {reason}")
    echo(bfloat16_gain(points[0], device))
