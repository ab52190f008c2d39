"""A study against the script that a competent user would write: wall time with imports, and whether the errors are alike.

    python benchmarks/study_vs_plain.py [pairs] [--depth 56] [--width 4] [--seeds 8] [--epochs 12] [--data digits]
                                       [--precision float32]

Both train the units `original` and `full_preactivation` on digits (or on 1024 `shapes`, 32x32) by the recipe he2016_small. The
plain script (`--plain`) is Optuna over the units, one seed after another, DataLoader, NCHW, float32, torch's own number of
threads. The pairs are interleaved, who is first changes from pair to pair. Printed: the ratio of wall times, median and range;
and for each unit the mean errors of both with their standard errors, and Welch's p.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev

UNITS = ("original", "full_preactivation")
SETTINGS: dict[str, dict[str, int]] = {"digits": {}, "shapes": {"n_train": 1024}}


def plain(options: argparse.Namespace) -> dict[str, list[float]]:
    """Errors in percent by unit, one for each seed."""
    import optuna
    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F
    from torch.utils.data import DataLoader, TensorDataset

    from resbench.data.registry import load
    from resbench.data.split import normalised, whole

    channels = {"digits": 1, "shapes": 3}[options.data]

    class Block(nn.Module):
        def __init__(self, before: int, width: int, stride: int, preact: bool, first: bool) -> None:
            super().__init__()
            self.preact, self.stride, self.more = preact, stride, width - before
            self.first = first or stride != 1  # there the shortcut reads the activated tensor
            self.bn1 = nn.BatchNorm2d(before if preact else width)
            self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            if self.preact:
                a = F.relu(self.bn1(x))
                f = self.conv2(F.relu(self.bn2(self.conv1(a))))
                return f + self.shortcut(a if self.first else x)
            f = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
            return F.relu(f + self.shortcut(x))

        def shortcut(self, x: Tensor) -> Tensor:
            if self.stride != 1:
                x = x[:, :, :: self.stride, :: self.stride]
            return F.pad(x, (0, 0, 0, 0, 0, self.more)) if self.more else x

    class Net(nn.Module):
        def __init__(self, preact: bool) -> None:
            super().__init__()
            width, n = options.width, (options.depth - 2) // 6
            self.stem = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
            self.bn = nn.BatchNorm2d(4 * width if preact else width)
            self.preact = preact
            blocks, before = [], width
            for stage in range(3):
                for i in range(n):
                    out, stride = width * 2**stage, 2 if stage and not i else 1
                    blocks.append(Block(before, out, stride, preact, not blocks))
                    before = out
            self.blocks = nn.Sequential(*blocks)
            self.fc = nn.Linear(before, 10)
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_in")
                if isinstance(module, nn.Linear):
                    nn.init.kaiming_normal_(module.weight, mode="fan_in")
                    nn.init.zeros_(module.bias)

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            x = self.blocks(x if self.preact else F.relu(self.bn(x)))
            if self.preact:
                x = F.relu(self.bn(x))
            return self.fc(x.mean((2, 3)))

    data = load(options.data, SETTINGS[options.data])
    x_val, y_val = whole(normalised(data, "val"))
    train = TensorDataset(*whole(normalised(data, "train")))
    found: dict[str, list[float]] = {}

    def one(unit: str, seed: int) -> float:
        torch.manual_seed(seed)
        net = Net(unit == "full_preactivation")
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        loader = DataLoader(train, batch_size=64, shuffle=True, drop_last=True)
        steps, step, error = len(loader) * options.epochs, 0, 0.0
        for epoch in range(options.epochs):
            net.train()
            for images, labels in loader:
                rate = 0.01 if epoch == 0 else 0.1
                for group in optimizer.param_groups:
                    group["lr"] = rate * 0.1 ** ((step >= round(steps / 2)) + (step >= round(3 * steps / 4)))
                optimizer.zero_grad()
                F.cross_entropy(net(images), labels).backward()
                optimizer.step()
                step += 1
            net.eval()
            with torch.no_grad():
                error = 100 * float((net(x_val).argmax(1) != y_val).float().mean())
        return error

    def objective(trial: optuna.Trial) -> float:
        unit = trial.suggest_categorical("unit", list(UNITS))
        found[unit] = [one(unit, seed) for seed in range(options.seeds)]
        return mean(found[unit])

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{options.db}", sampler=optuna.samplers.GridSampler({"unit": list(UNITS)})
    )
    study.optimize(objective, n_trials=len(UNITS))
    return found


def resbench(options: argparse.Namespace, folder: Path) -> None:
    data = {"digits": "digits", "shapes": "{use: shapes, n_train: 1024}"}[options.data]
    (folder / "bench.yaml").write_text(
        f"study: bench\nnetwork: {{use: resnet_cifar, depth: {options.depth}, width: {options.width}}}\n"
        f"units: [{', '.join(UNITS)}]\ndata: {data}\n"
        f"recipe: {{use: he2016_small, epochs: {options.epochs}, precision: {options.precision}}}\n"
        f"seeds: {options.seeds}\n",
        "utf-8",
    )
    db = ["--db", str(folder / "bench.db")]
    subprocess.run(
        [sys.executable, "-m", "resbench", "study", "run", "bench.yaml", *db],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return {}


def errors(folder: Path) -> dict[str, list[float]]:
    import sqlite3

    rows = (
        sqlite3.connect(folder / "bench.db").execute("SELECT unit, val_error_pct FROM v_runs ORDER BY seed").fetchall()
    )
    return {unit: [error for name, error in rows if name == unit] for unit in UNITS}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", nargs="?", type=int, default=3)
    for name, default in (("depth", 56), ("width", 4), ("seeds", 8), ("epochs", 12)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--data", choices=list(SETTINGS), default="digits")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="of resbench alone")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--db", default="plain.db")
    options = parser.parse_args()
    if options.plain:
        print(json.dumps(plain(options)))
        return
    given = [
        f"--{name}={getattr(options, name)}" for name in ("depth", "width", "seeds", "epochs", "data", "precision")
    ]
    times: dict[str, list[float]] = {"plain": [], "resbench": []}
    found: dict[str, dict[str, list[float]]] = {}
    for pair in range(options.pairs):
        for who in ("plain", "resbench") if pair % 2 else ("resbench", "plain"):
            with tempfile.TemporaryDirectory() as name:
                folder, began = Path(name), time.perf_counter()
                if who == "plain":
                    command = [sys.executable, __file__, "--plain", *given, f"--db={folder / 'plain.db'}"]
                    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                    times[who].append(time.perf_counter() - began)
                    found[who] = json.loads(said.splitlines()[-1])
                else:
                    resbench(options, folder)
                    times[who].append(time.perf_counter() - began)
                    found[who] = errors(folder)
        print(f"pair {pair + 1}: plain {times['plain'][-1]:.1f} s, resbench {times['resbench'][-1]:.1f} s", flush=True)
    ratios = [a / b for a, b in zip(times["plain"], times["resbench"], strict=True)]
    print(
        f"plain / resbench: median {median(ratios):.2f}, range {min(ratios):.2f} to {max(ratios):.2f}, n = {len(ratios)} pairs"
    )
    from scipy.stats import ttest_ind

    for unit in UNITS:
        a, b = found["plain"][unit], found["resbench"][unit]
        told = ", ".join(f"{mean(x):.2f} ± {stdev(x) / len(x) ** 0.5:.2f}" for x in (a, b))
        p = ttest_ind(a, b, equal_var=False).pvalue
        print(
            f"{unit}: val error % plain, resbench (mean ± standard error, n = {len(a)} each): {told}; Welch p = {p:.2f}"
        )


if __name__ == "__main__":
    main()
