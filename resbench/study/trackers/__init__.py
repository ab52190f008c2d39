"""Finished runs -> the tool in which somebody follows experiments.  For authors of plugins: `tracker`, and what one is given."""

from resbench.study.trackers.registry import tracker
from resbench.study.trackers.tracked import TrackedRun, TrackedStudy, Tracker

__all__ = ["TrackedRun", "TrackedStudy", "Tracker", "tracker"]
