"""Scans a suite end to end and compares what is exported with the truth.

    python -m benchmarks.matching PHOTOS [--out DIR] [--per-variant N] [--edits]

Builds the suite of :mod:`benchmarks.accuracy` in --out, scans it by `ris scan` into a home of its
own there, and writes results.json. A scan that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.accuracy.suite import Suite, build
from benchmarks.machine import machine, versions, where
from benchmarks.matching.verdicts import Tally, Verdicts, compare
from benchmarks.reliability import Bin, error

_RIS = (sys.executable, "-c", "from ris_jobs.cli import main; main()")


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.photos is None or not args.photos.is_dir():
        parser.error("name a folder of photos that were not trained on")
    suite = build(args.photos, args.out / "suite", seed=args.seed, per_variant=args.per_variant)
    began = time.perf_counter()
    summary = _ris(args.out, "scan", str(suite.folder / "images"), "--json")
    seconds = time.perf_counter() - began
    exported = _ris(args.out, "export", "matches")
    numbers = {path.resolve().as_uri(): n for n, path in enumerate(suite.paths)}
    verdicts = compare(suite.rows, map(json.loads, exported.splitlines()), numbers)
    report = _report(suite, verdicts, seconds, json.loads(summary))
    (args.out / "results.json").write_text(json.dumps(report, indent=1, ensure_ascii=False))
    print(where(machine(), versions()))
    print(f"{len(suite.rows)} files, seed {args.seed}, scanned in {seconds:.0f} s")
    print(*_lines(verdicts, args.edits), sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("photos", nargs="?", type=Path, metavar="PHOTOS", help="photos that were not trained on")
    add("--out", type=Path, metavar="DIR", default=Path("build/matching"), help="%(default)s")
    add("--per-variant", type=int, metavar="N", default=8, help="copies by each edit: %(default)s")
    add("--seed", type=int, default=0)
    add("--edits", action="store_true", help="a line for each edit, not each family of edits")
    return parser


def _ris(out: Path, *words: str) -> str:
    """What `ris` prints; its messages go to the terminal."""
    home = {"RIS_HOME": str((out / "home").resolve())}
    done = subprocess.run(
        [*_RIS, *words], env={**os.environ, **home}, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _report(suite: Suite, found: Verdicts, seconds: float, summary: Any) -> dict[str, Any]:
    return {
        "machine": machine(),
        "versions": versions(),
        "suite": dict(suite.about),
        "seconds": seconds,
        "scan": summary,
        "precision": found.precision,
        "overall": asdict(found.tally(found.copies()[""])),
        "edits": {name: asdict(found.tally(rows)) for name, rows in found.copies("edit").items()},
        "reliability": {
            name: [asdict(one) for one in seen] for name, seen in found.reliability().items()
        },
        "claims": [[*claim, count] for claim, count in sorted(found.claims.items())],
        "wrong": [{**match, "kinds": _kinds(found, one, two)} for match, one, two in found.wrong],
    }


def _lines(found: Verdicts, edits: bool) -> Iterator[str]:
    yield "| edit | copies | found | relation right | direction right | wrong |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, rows in sorted(found.copies("edit" if edits else "family").items()):
        yield _line(name, found.tally(rows))
    overall = found.tally(found.copies()[""])
    yield _line("all", overall)
    yield ""
    yield f"recall {overall.found / overall.copies:.4f} at precision {found.precision:.4f}"
    yield f"boxes {overall.boxed} of {overall.boxes} within IoU 0.9, scales {overall.scaled} of "
    yield f"{overall.scales} within 3 %"
    kinds = Counter(" and ".join(_kinds(found, one, two)) for _, one, two in found.wrong)
    yield from (f"wrong: {count} of {kind}" for kind, count in kinds.most_common())
    yield ""
    yield "| relation | pairs | mean probability | share of copies | calibration error |"
    yield "| --- | --- | --- | --- | --- |"
    for name, seen in found.reliability().items():
        yield _true(name or "all", seen)
    yield ""
    for reason in sorted({reason for reason, _ in found.claims}):
        can, not_so = (found.claims.get((reason, possible), 0) for possible in (True, False))
        yield f"between copies of one photo, {reason}: {not_so} of {can + not_so} cannot be"


def _line(name: str, tally: Tally) -> str:
    share = f"{tally.relation} of {tally.told}"
    cells = (name, tally.copies, tally.found, share, tally.directed, tally.reversed)
    return "| " + " | ".join(map(str, cells)) + " |"


def _true(name: str, found: Sequence[Bin]) -> str:
    said, true = (sum(b.share * getattr(b, value) for b in found) for value in ("said", "true"))
    pairs = sum(b.pairs for b in found)
    return f"| {name} | {pairs} | {said:.4f} | {true:.4f} | {error(found):.4f} |"


def _kinds(found: Verdicts, *numbers: int) -> list[str]:
    rows = (found.rows[number] for number in numbers)
    return sorted(row.group or row.family or row.kind for row in rows)


if __name__ == "__main__":
    main()
