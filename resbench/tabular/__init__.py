"""Frozen benchmarks: a file written by `resbench results freeze` answers queries, and simulates searches without training.

bench = resbench.tabular.load("bench.db")
bench.query("full_preactivation")                     mean, standard deviation and n over its seeds, with every run
bench.query("full_preactivation", epoch=3, seed=0)    one run, after its third epoch
bench.simulate(search, seconds=600)                   the result of a search in ten minutes of training
"""

from resbench.tabular.answer import Answer, Record, TestAnswer
from resbench.tabular.bench import Bench, load
from resbench.tabular.merge import merge
from resbench.tabular.simulation import OutOfBudget, Simulation, Step

__all__ = ["Answer", "Bench", "OutOfBudget", "Record", "Simulation", "Step", "TestAnswer", "load", "merge"]
