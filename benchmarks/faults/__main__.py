"""python -m benchmarks.faults [--away 70] [--only WORDS]

Lets a night run undisturbed, then once with each fault, all on real servers: an embedded PostgreSQL
and Milvus Lite, as a server where the fault needs one. A night is the tasks of the DAGs, each a
process of its own and tried up to three times; one whose scheduler is killed is run by a real
Airflow. Prints a table: whether the final tables and vectors equal the undisturbed night's, how
long the night took, which failures were got over. Exit status 1 if one differs. Servers that are
stopped come back after ``--away`` seconds.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.faults.catalogue import FAULTS, Fault, undisturbed
from benchmarks.faults.scene import Outcome, Scene
from benchmarks.machine import machine, versions, where


def differences(found: Outcome, wanted: Outcome) -> list[str]:
    """What is not as it should be, each in a few words."""
    wrong = [
        f"{name}: {len(set(map(str, rows)) ^ set(map(str, wanted.tables[name])))} rows differ"
        for name, rows in found.tables.items()
        if rows != wanted.tables[name]
    ]
    if found.vectors != wanted.vectors:
        wrong.append(f"vectors, of images too few, too many: {found.vectors}")
    return wrong


def suffered(fault: Fault, scene: Scene, wanted: Outcome) -> tuple[list[str], list[str]]:
    """What differs, and what was said on the way."""
    try:
        found = fault(scene)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"], []
    return differences(found, wanted), found.said


def rows(scene: Scene, names: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """Fault, verdict, seconds, what was said."""
    started = time.perf_counter()
    wanted = undisturbed(scene)
    yield "none", "–", f"{time.perf_counter() - started:.0f}", ""
    for name in names:
        started = time.perf_counter()
        wrong, said = suffered(FAULTS[name], scene, wanted)
        verdict = "; ".join(wrong) or "same"
        yield name, verdict, f"{time.perf_counter() - started:.0f}", "; ".join(said)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--away", type=float, default=70.0)
    parser.add_argument("--only", default="", help="faults whose name has these words in it")
    options = parser.parse_args(arguments)
    # As on Ctrl-C: the servers end in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = [name for name in FAULTS if options.only in name]
    print(where(machine(), versions()))
    print("\n| fault | tables and vectors | s | said |\n| --- | --- | --- | --- |")
    good = True
    with (
        tempfile.TemporaryDirectory(prefix="ris-faults-") as base,
        Scene.set_up(Path(base), options.away) as scene,
    ):
        for row in rows(scene, names):
            print(f"| {' | '.join(row)} |", flush=True)
            good = good and row[1] in ("same", "–")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
