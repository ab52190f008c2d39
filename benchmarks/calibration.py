"""Are the claims as rare as they say, and made where they should be? Simulated studies through the evidence functions.

    python benchmarks/calibration.py [--studies 2000] [--only false,power,...,speed] [--db AA.db]

Every setting has its own stream, named by what it is, and is drawn once. False claims: all units are alike; a claim is a unit
left out of the tie group, or a pair of `compare` (Holm over all pairs) called different. A setting passes at up to 131 of 2000
(the 99.9 % point of 2000 draws at 0.05). The positive control tests the same studies against the best unit *seen*, with Holm: the
harness must flag it. Beside every share stands its Monte-Carlo standard error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from math import sqrt
from pathlib import Path

import numpy as np
from scipy.special import bdtr, expit, stdtr

from resbench.evidence.compare import compare, holm
from resbench.evidence.power import power, sds_of, seeds_for
from resbench.evidence.study_runs import study_runs
from resbench.random_streams import stream
from resbench.statistics.anytime import anytime_test
from resbench.statistics.intervals import error_interval, mean_interval
from resbench.statistics.moderated import moderate, variance_floor, welch
from resbench.statistics.race import race
from resbench.statistics.ranking import rank
from resbench.statistics.sample import Sample
from resbench.statistics.standing import Scored
from resbench.statistics.ties import tie_group
from resbench.store.open import open_store
from resbench.store.records import (
    ArchitectureRecord,
    DataRecord,
    EnvironmentRecord,
    RecipeRecord,
    RunRecord,
    TrialRecord,
    canonical_json,
)
from resbench.store.results.catalogue import put_architecture, put_data, put_environment, put_recipe
from resbench.store.results.runs import save_run
from resbench.store.results.studies import put_study, put_trial, study_names

N_VAL, SD, MEAN = 5000, 0.2, 6.5
FLOOR = variance_floor(N_VAL)
KS, NS = (2, 3, 8, 20), (3, 5, 8, 20)
Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def normal(g: np.random.Generator, k: int, n: int) -> np.ndarray:
    return g.normal(size=(k, n))


def spreads(g: np.random.Generator, k: int, n: int) -> np.ndarray:
    """Standard deviations from 1 to 4."""
    return g.normal(size=(k, n)) * np.linspace(1, 4, k)[:, None]


def one_noisy(g: np.random.Generator, k: int, n: int) -> np.ndarray:
    x = g.normal(size=(k, n))
    x[0] *= 10
    return x


def t3(g: np.random.Generator, k: int, n: int) -> np.ndarray:
    return g.standard_t(3, size=(k, n)) / sqrt(3)


def lognormal(g: np.random.Generator, k: int, n: int) -> np.ndarray:
    return (np.exp(g.normal(0, 0.5, size=(k, n))) - np.exp(0.125)) / 0.604


def correlated(g: np.random.Generator, k: int, n: int) -> np.ndarray:
    return sqrt(0.3) * g.normal(size=(1, n)) + sqrt(0.7) * g.normal(size=(k, n))


def diverging(share: float) -> Draw:
    def draw(g: np.random.Generator, k: int, n: int) -> np.ndarray:
        x = g.normal(size=(k, n))
        x[g.random((k, n)) < share] = np.nan
        return x

    return draw


KINDS: dict[str, Draw] = {
    "normal": normal, "spreads 1:4": spreads, "one unit x10": one_noisy, "t3": t3, "lognormal": lognormal,
    "correlated 0.3": correlated, "5 % diverge": diverging(0.05), "20 % diverge": diverging(0.2), "quantised 1/340": normal,
}  # fmt: skip


def generator_of(*words: object) -> np.random.Generator:
    return np.random.default_rng(stream(0, 0, f"calibration {' '.join(map(str, words))}"))


def samples_from(x: np.ndarray, quantum: float | None = None) -> list[Sample]:
    """[k, n] in standard deviations -> samples in percent; nan is a diverged run."""
    errors = MEAN + SD * x
    if quantum is not None:
        errors = np.round(errors / quantum) * quantum
    return [
        Sample(f"u{i}", tuple(row[np.isfinite(row)].tolist()), diverged=int(np.isnan(row).sum()))
        for i, row in enumerate(errors)
    ]


def share(count: int, of: int) -> str:
    p = count / of
    return f"{p:.4f} ± {sqrt(max(p * (1 - p), 1e-12) / of):.4f}"


def head(title: str, *columns: str) -> None:
    print(f"\n## {title}\n")
    if columns:
        line(*columns)
        line(*["---"] * len(columns))


def line(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def allowed(studies: int) -> int:
    """The 99.9 % point of the number of claims at 0.05: 131 of 2000."""
    return next(k for k in range(studies + 1) if bdtr(k, studies, 0.05) >= 0.999)


def best_seen(samples: list[Sample]) -> bool:
    """The wrong cousin: everyone against the one with the lowest mean, Holm over those."""
    tested = [s for s in samples if s.testable]
    if len(tested) < 2:
        return False
    means = np.array([s.mean for s in tested], dtype=float)
    variances = np.array([s.variance for s in tested], dtype=float)
    counts = np.array([float(s.converged) for s in tested])
    moderated, df = moderate(variances, counts, FLOOR)
    error, best = moderated / counts, int(means.argmin())
    t, nu = welch(means - means[best], error, error[best], df, df[best])
    ps = [2 * float(stdtr(nu[i], -t[i])) for i in range(len(tested)) if i != best]
    return any(p is not None and p <= 0.05 for p in holm(ps))


def false_claims(studies: int) -> bool:
    bound, good, flagged = allowed(studies), True, 0
    head(
        f"False claims: all units are alike, {studies} studies a setting, at most {bound} pass",
        *("errors", "k", "n", "tie group", "compare", "best seen (control)"),
    )
    for kind, draw in KINDS.items():
        quantum = 100 / 340 if "quantised" in kind else None
        for k, n in product(KS, NS):
            g = generator_of("false", kind, k, n)
            left = differ = wrong = 0
            for _ in range(studies):
                samples = samples_from(draw(g, k, n), quantum)
                n_val = 340 if quantum else N_VAL
                left += any(row.tied_with_best is False and not row.fails for row in rank(samples, n_val=n_val))
                differ += any(row.claim for row in compare(samples, n_val=n_val))
                wrong += best_seen(samples)
            passed = max(left, differ) <= bound
            good &= passed or n < 5
            flagged += wrong > bound
            mark = "" if passed else " **over**" if n >= 5 else " (over; not gated)"
            line(kind, k, n, share(left, studies), share(differ, studies) + mark, share(wrong, studies))
    print(f"\ncontrol: 'Holm against the best seen' is over in {flagged} of {len(KINDS) * len(KS) * len(NS)} settings")
    return good and flagged > 0


POWERS = ((8, 3, 5, 0.0, 0.92), (8, 2, 8, 0.0, 0.88), (8, 3, 5, 0.05, 0.90), (20, 3, 5, 0.0, 0.80))


def powers(studies: int) -> bool:
    head("Power: the share of the worse half left out", "k", "worse by", "n", "diverge", "left out", "at least")
    good = True
    for k, delta, n, lost, floor in POWERS:
        g, count, of = generator_of("power", k, delta, n, lost), 0, 0
        for _ in range(studies):
            x = diverging(lost)(g, k, n)
            x[k // 2 :] += delta
            rows = {row.name: row for row in rank(samples_from(x), n_val=N_VAL)}
            worse = [rows[f"u{i}"] for i in range(k // 2, k)]
            count += sum(row.tied_with_best is False for row in worse)
            of += len(worse)
        good &= count / of >= floor
        mark = "" if count / of >= floor else " **under**"
        line(k, f"{delta} sd", n, f"{lost:.0%}", share(count, of) + mark, floor)
    return good


def intervals(studies: int) -> bool:
    head("Coverage of the 95 % t interval of a mean", "errors", "n", "covers")
    good = True
    for kind, n in product(("normal", "t3", "lognormal"), (5, 8, 20)):
        g, held, of = generator_of("intervals", kind, n), 0, 5 * studies
        for _ in range(of):
            (sample,) = samples_from(KINDS[kind](g, 1, n))
            low, high = mean_interval(sample) or (0.0, 0.0)
            held += low <= MEAN <= high
        inside, gated = 0.93 <= held / of <= 0.97, kind != "lognormal"
        good &= inside or not gated
        line(kind, n, share(held, of) + ("" if inside else " **outside**" if gated else " (outside; not gated)"))
    return good


RATES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {  # true error rates of n seeds, as shares
    "3 %, sd 0.5": lambda g, n: np.clip(g.normal(0.03, 0.005, n), 0, 1),
    "50 %, sd 10": lambda g, n: np.clip(g.normal(0.5, 0.1, n), 0, 1),
    "about 1 %": lambda g, n: expit(g.normal(-4.5, 0.5, n)),
    "about 0.3 %": lambda g, n: expit(g.normal(-6, 0.8, n)),
    "27 %, wide": lambda g, n: expit(g.normal(-1, 1.5, n)),
    "0.1 %, all alike": lambda g, n: np.full(n, 0.001),
    "95 %": lambda g, n: expit(g.normal(3, 0.6, n)),
}


def rates(studies: int) -> bool:
    """Of an error rate, seen on n_val images: the logit interval that is shown, and the t interval beside it."""
    head(
        "Coverage of the 95 % interval of a mean error rate",
        "true rates",
        "n_val",
        "n",
        "covers",
        "width",
        "t covers",
        "t below 0",
    )
    good = True
    for (kind, draw), n_val, n in product(RATES.items(), (6, 340, 5000), (3, 5, 10)):
        g, held, plain, below, width, of = generator_of("rates", kind, n_val, n), 0, 0, 0, 0.0, studies
        mean = 100 * float(draw(generator_of("rates", kind), 200_000).mean())
        for _ in range(of):
            sample = Sample("u", tuple((100 / n_val * g.binomial(n_val, draw(g, n))).tolist()))
            low, high = error_interval(sample, n_val) or (0.0, 0.0)
            left, right = mean_interval(sample, variance_floor=variance_floor(n_val)) or (0.0, 0.0)
            held += low <= mean <= high
            plain += left <= mean <= right
            below += left < 0 or right > 100
            width += (high - low) / of
        inside = held / of >= 0.91
        good &= inside
        line(
            kind,
            n_val,
            n,
            share(held, of) + ("" if inside else " **under**"),
            f"{width:.2f}",
            share(plain, of),
            f"{below / of:.0%}",
        )
    return good


def plans(studies: int) -> bool:
    head("Power foretold from known sds, and seen", "k", "n", "delta", "foretold", "seen")
    good = True
    for k, n, delta in ((2, 8, 0.35), (8, 8, 0.45), (8, 5, 0.6)):
        foretold = power([SD] * k, n, delta, n_val=N_VAL)
        g, count, of = generator_of("foretold", k, n), 0, studies * (k - 1)
        for study in range(studies):
            x = normal(g, k, n) + delta / SD
            x[study % k] -= delta / SD
            rows = rank(samples_from(x), n_val=N_VAL)
            count += sum(row.tied_with_best is False for row in rows if row.name != f"u{study % k}")
        good &= abs(count / of - foretold) <= 0.05
        line(k, n, delta, f"{foretold:.3f}", share(count, of))
    enough, tries, delta, g = 0, max(20, studies // 10), 0.35, generator_of("planned")
    for _ in range(tries):
        _, upper = sds_of(samples_from(normal(g, 8, 5)))
        planned = seeds_for(upper, delta, n_val=N_VAL).seeds
        enough += planned is not None and power([SD] * 8, planned, delta, n_val=N_VAL) >= 0.75
    good &= enough / tries >= 0.9
    print(
        f"\nplanned at the upper limits, from 8 units x 5 seeds: the true power is >= 0.75 in {share(enough, tries)} of {tries}"
    )
    return good


RACES: dict[str, tuple[list[float], float | None]] = {  # offsets in sds; share of the runs, at most
    "2 alike": ([0] * 2, None), "8 alike": ([0] * 8, None), "20 alike": ([0] * 20, None), "2, 3 sd apart": ([0, 3], 0.40),
    "one of 8 better by 3 sd": ([0] + [3] * 7, 0.45), "a ladder of 1 sd": (list(range(8)), 0.50),
    "4 + 4 at 3 sd": ([0] * 4 + [3] * 4, 0.70), "one of 8 worse by 3 sd": ([0] * 7 + [3], None),
}  # fmt: skip
LOOKS = (5, 8, 12, 20)


def one_race(x: np.ndarray) -> tuple[dict[str, int], dict[str, int | None]]:
    """Scores [k, 20] -> the seeds that each unit got, and the look at which it was left out."""
    seen: list[list[Scored]] = []
    inside = {f"u{i}" for i in range(len(x))}
    spent = dict.fromkeys(sorted(inside), 0)
    for look in LOOKS:
        spent |= dict.fromkeys(inside, look)
        seen.append([Scored(tuple(samples_from(x[:, :look])), FLOOR)])
        found = race(list(spent), seen, len(LOOKS))
        inside = set(found.still_in)
        if found.over:
            break
    return spent, found.left


def races(studies: int) -> bool:
    bound, good = allowed(studies), True
    head(
        f"Racing: looks at {LOOKS} seeds, {studies} races each",
        *("units", "runs used", "at most", "a best one left out", "seeds of the last unit (90 % of races at most)"),
    )
    for name, (offsets, limit) in RACES.items():
        g, used, wrong, last = generator_of("race", name), [], 0, []
        for _ in range(studies):
            spent, left = one_race(normal(g, len(offsets), LOOKS[-1]) + np.array(offsets, dtype=float)[:, None])
            used.append(sum(spent.values()) / (len(offsets) * LOOKS[-1]))
            wrong += any(left[f"u{i}"] is not None for i, offset in enumerate(offsets) if offset == 0)
            last.append(spent[f"u{len(offsets) - 1}"])
        mean, most = float(np.mean(used)), float(np.quantile(last, 0.9))
        within = wrong <= bound and (limit is None or mean <= limit)
        within &= most <= 8 or not name.startswith("one of 8 worse")
        good &= within
        told = "" if limit is None else f"{limit:.0%}"
        spread = f"{mean:.1%} ± {np.std(used) / sqrt(studies):.1%}"
        line(name, spread + ("" if within else " **over**"), told, share(wrong, studies), f"{most:g}")
    return good


def whenever(studies: int) -> bool:
    """Two units alike, looked at after every seed from 3 to 40; the second has `times` as many runs."""
    bound, good = allowed(studies), True
    head(
        "Looked at again and again, from 3 to 40 seeds: a claim at any look",
        "spread",
        "runs",
        "e-process",
        "plain Welch",
    )
    for spread, times in product((1, 3, 10), (1, 4)):
        g, ours, plain = generator_of("whenever", spread, times), 0, 0
        for _ in range(studies):
            a, b = spread * g.normal(size=40), g.normal(size=40 * times)
            claimed = tested = False
            for n in range(3, 41):
                x, y = a[:n], b[: n * times]
                means, variances = np.array([x.mean(), y.mean()]), np.array([x.var(ddof=1), y.var(ddof=1)])
                counts = np.array([float(n), float(n * times)])
                claimed |= bool((anytime_test(means, variances, counts, FLOOR, 0.025) <= 0.025).any())
                error = variances / counts
                t, nu = welch(means[:1] - means[1:], error[:1], error[1:], counts[:1] - 1, counts[1:] - 1)
                tested |= bool(2 * stdtr(nu[0], -abs(t[0])) <= 0.05)
            ours += claimed
            plain += tested
        good &= ours <= bound
        mark = "" if ours <= bound else " **over**"
        line(f"{spread}:1", f"1:{times}", share(ours, studies) + mark, share(plain, studies))
    return good


def through_store(count: int = 50) -> bool:
    """Simulated studies written as runs, each unit with its own digest, and read back by the command line."""
    g, same = generator_of("store"), 0
    offsets = np.array([0, 0, 0, 1.5, 3, 3])[:, None]
    drawn = [samples_from(diverging(0.1)(g, 6, 5) + offsets) for _ in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        db = str(Path(folder) / "simulated.db")
        write(db, drawn)
        for number, samples in enumerate(drawn):
            command = [sys.executable, "-m", "resbench", "results", "top", f"s{number}", "--db", db, "--json"]
            told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
            read = [(row["unit"], row["mean"], row["tied_with_best"], row["n"]) for row in told]
            same += read == [(row.name, row.mean, row.tied_with_best, row.n) for row in rank(samples, n_val=N_VAL)]
    head("Through the store")
    print(f"{same} of {count} simulated studies come out of `results top --json` as they went in")
    return same == count


def write(db: str, studies: list[list[Sample]]) -> None:
    engine = open_store(db, create=True)
    put_recipe(engine, RecipeRecord("r", "r", "{}"))
    put_data(engine, DataRecord("d", "d", "1x8x8", 10, 1, N_VAL, 1))
    where = EnvironmentRecord("0", None, None, "3", "2", "cpu", 1, True, False, {}, "simulated")
    environment = put_environment(engine, where)
    for number, samples in enumerate(studies):
        seeds = list(range(samples[0].n))
        spec = canonical_json({"fixed": {}, "units": [s.name for s in samples], "seeds": seeds, "doc": ""})
        study = put_study(engine, f"s{number}", spec, "x")
        for i, sample in enumerate(samples):
            digest = f"a{number}_{i}"
            put_architecture(engine, ArchitectureRecord(digest, "n", sample.name, "{}", 1))
            trial = put_trial(engine, study, TrialRecord(i, sample.name, sample.name, "n", {}, digest, "r", "d"))
            for seed, score in enumerate([*sample.scores, *[None] * sample.diverged]):
                status = "diverged" if score is None else "complete"
                record = RunRecord(digest, "r", "d", seed, status, environment, score, epochs=1)
                save_run(engine, record, study_id=study, trial_id=trial)
    engine.dispose()


def real(db: str, deals: int) -> bool:
    """Runs of one unit with different seeds, dealt to 8 x 5: every claim is false."""
    engine = open_store(db, create=False)
    runs = study_runs(engine, study_names(engine)[0])
    (pool,) = runs.samples()
    scores, g, claims = np.array(pool.scores), generator_of("real"), 0
    for _ in range(deals):
        dealt = g.choice(scores, (8, 5), replace=False)
        found = rank([Sample(f"u{i}", tuple(row.tolist())) for i, row in enumerate(dealt)], n_val=runs.n_val)
        claims += any(row.tied_with_best is False for row in found)
    twins = [Sample("a", pool.scores[:5]), Sample("b", pool.scores[:5])]
    (pair,) = compare(twins, n_val=runs.n_val)
    alike = all(row.tied_with_best for row in rank(twins, n_val=runs.n_val)) and pair.p == 1.0
    head(f"Real A/A: {len(scores)} runs of one unit on {runs.data}")
    print(f"mean {scores.mean():.2f} %, sd {scores.std(ddof=1):.2f}")
    print(f"dealt {deals} times to 8 x 5: a claim in {share(claims, deals)} (at most 0.075)")
    print(f"the same seeds under two names are one tie group with p = 1: {alike}")
    return claims / deals <= 0.075 and alike and len(scores) >= 64


def speed() -> bool:
    g = generator_of("speed")
    x = g.normal(size=(200, 10)) + np.linspace(0, 5, 200)[:, None]
    means, variances, counts = x.mean(1), x.var(1, ddof=1), np.full(200, 10.0)
    times = []
    for _ in range(11):
        began = time.perf_counter()
        tie_group(means, variances, counts, FLOOR)
        times.append(time.perf_counter() - began)
    middle = float(np.median(times[1:]))
    low, high = 1000 * min(times[1:]), 1000 * max(times[1:])
    head("Speed")
    print(f"tie group of 200 x 10: median {1000 * middle:.1f} ms, range {low:.1f} to {high:.1f}, n = 10 (at most 100)")
    return middle <= 0.1


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--only", default="false,power,intervals,rates,plan,race,whenever,store,real,speed")
    parser.add_argument("--db", help="a database whose first study holds 64 runs or more of one unit, for `real`")
    given = parser.parse_args()
    parts = {
        "false": lambda: false_claims(given.studies), "power": lambda: powers(given.studies),
        "intervals": lambda: intervals(given.studies), "rates": lambda: rates(given.studies),
        "plan": lambda: plans(given.studies), "race": lambda: races(given.studies),
        "whenever": lambda: whenever(given.studies), "store": through_store,
        "real": lambda: given.db is None or real(given.db, 2000), "speed": speed,
    }  # fmt: skip
    found = {name: parts[name]() for name in given.only.split(",")}
    print("\n" + ", ".join(f"{name}: {'passes' if passed else 'FAILS'}" for name, passed in found.items()))
    sys.exit(not all(found.values()))


if __name__ == "__main__":
    main()
