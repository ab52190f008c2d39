"""How long does an editor wait for names?  `python benchmarks/editor.py [--times 50]`

Starts the yaml-language-server of tests/node/package.json (installed by npm into a temporary folder), opens a file at each place
where names are wanted, and asks for completions. Told: the median and the largest wait, without the first of each kind of file,
which reads the schema; and that first one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from language_server import LanguageServer, language_server  # noqa: E402
from node_packages import install  # noqa: E402

PLACES = (
    ("unit", "unit: a\nnodes:\n  y: {from: x, ops: [bn, ¦]}\n"),
    ("unit", "unit: a\nnodes:\n  y: {from: x, ops: [conv3x3: {s¦}]}\n"),
    ("network", "network: a\nunit: ¦\n"),
    ("study", "study: a\nnetwork: ¦\n"),
    ("study", "study: a\nunits: [plain, ¦]\n"),
    ("study", "study: a\nunits: [{use: constant_scaling, s¦}]\n"),
    ("study", "study: a\nrecipe: {use: he2016, sch¦}\n"),
    ("study", f"{(ROOT / 'studies' / 'arranged.yaml').read_text('utf-8')}network: ¦\n"),
    ("recipe", "recipe: a\nschedule: ¦\n"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder, language_server(install(Path(folder))) as server:
        first = {kind: _wait_ms(server, kind, text) for kind, text in dict(reversed(PLACES)).items()}
        print("| kind | place | items | median ms | largest ms |\n| --- | --- | --- | --- | --- |")
        for kind, text in PLACES:
            waits = [_wait_ms(server, kind, text) for _ in range(times)]
            items = len(server.complete(text, _schema(kind)))
            line = next(line for line in text.split("\n") if "¦" in line)
            print(f"| {kind} | `{line.strip()}` | {items} | {statistics.median(waits):.1f} | {max(waits):.1f} |")
    print("\nthe first of each kind, ms: " + ", ".join(f"{kind} {wait:.0f}" for kind, wait in first.items()))


def _schema(kind: str) -> Path:
    return ROOT / "arch_specs" / "schemas" / f"{kind}.json"


def _wait_ms(server: LanguageServer, kind: str, text: str) -> float:
    start = time.perf_counter()
    server.complete(text, _schema(kind))
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
