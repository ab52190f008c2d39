"""Evidence: converged scores per architecture -> what may be claimed from them (numpy and scipy.special only; no torch)."""

from resbench.evidence.agreement import Agreement, Verdict, agreement
from resbench.evidence.compare import compare, holm
from resbench.statistics.comparison import Comparison, Method, reach_note
from resbench.statistics.intervals import (
    MedianInterval,
    is_skewed,
    mean_interval,
    median,
    median_interval,
    share_interval,
)
from resbench.statistics.ranking import Ranked, rank
from resbench.statistics.reach import seeds_to_claim, smallest_p
from resbench.statistics.sample import MIN_SEEDS, Sample
from resbench.statistics.ties import tie_group

__all__ = [
    "MIN_SEEDS",
    "Agreement",
    "Comparison",
    "MedianInterval",
    "Method",
    "Ranked",
    "Sample",
    "Verdict",
    "agreement",
    "compare",
    "holm",
    "is_skewed",
    "mean_interval",
    "median",
    "median_interval",
    "rank",
    "reach_note",
    "seeds_to_claim",
    "share_interval",
    "smallest_p",
    "tie_group",
]
