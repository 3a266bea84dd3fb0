"""Measures how well copies are found.

    python -m benchmarks.accuracy PHOTOS           a suite from a folder of photos, every system
    python -m benchmarks.accuracy --from REPORT    the table and plot of an earlier run

Writes results.json and recall.png into the folder --out, which holds the suite too, and what each
system said of its files: a run that was stopped goes on with the system it was at.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.accuracy import results, tables
from benchmarks.accuracy.described import Described, as_scanned, similarity, with_hashes
from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.peers import NotRun
from benchmarks.accuracy.plot import plot
from benchmarks.accuracy.results import RAW, Report, Result
from benchmarks.accuracy.suite import Suite, build
from benchmarks.accuracy.systems import PDQ, System, described_once, systems, with_regions
from benchmarks.machine import machine, versions, where
from ris_jobs.errors import ConfigError, RisError
from ris_jobs.fingerprint.regions import Regions

# Photos and weights that are not part of the project.
SHARED = Path(os.environ.get("RIS_SHARED", Path(__file__).resolve().parents[3] / "shared"))


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.photos is not None and args.report is not None:
        parser.error("name a folder of photos, or an earlier report with --from, not both")
    if args.report is None:
        args.photos = args.photos or SHARED / "photos" / "eval"
        if not args.photos.is_dir():
            parser.error(f"{args.photos} is no folder: name one of photos")
    try:
        report = _read(args.report) if args.report else _run(args)
        print(_head(report), tables.table(report), sep="\n\n")
        if args.edits:
            print("", tables.per_edit_table(_named(report, args.edits)), sep="\n")
    except RisError as error:
        parser.error(str(error))
    plot(report, (args.report.parent if args.report else args.out) / "recall.png")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "photos",
        nargs="?",
        type=Path,
        metavar="PHOTOS",
        help="folder of photos not trained on; else $RIS_SHARED/photos/eval",
    )
    add("--out", type=Path, metavar="DIR", default=Path("build/accuracy"), help="%(default)s")
    add("--photos", dest="limit", type=_count, metavar="N", help="take N of them; else all")
    add(
        "--per-variant",
        type=_count,
        metavar="N",
        default=40,
        help="copies by each edit: %(default)s",
    )
    add("--systems", metavar="A,B,…", help="these only")
    add(
        "--regions",
        type=_regions,
        metavar="A,B,…",
        default=[],
        help="the built-in model with other regions too, such as 0+0,5+0",
    )
    add("--weights", type=Path, metavar="DIR", default=SHARED / "weights", help="optional models'")
    add("--seed", type=int, default=0)
    add("--edits", metavar="SYSTEM", help="print its recall by edit too")
    add("--from", dest="report", type=Path, metavar="REPORT", help="results.json of an earlier run")
    return parser


def _regions(text: str) -> list[Regions]:
    try:
        return [Regions.parse(one) for one in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be like 0+0,5+10 ({error})") from error


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _run(args: argparse.Namespace) -> Report:
    chosen = _chosen(systems(args.weights), args.systems)
    chosen += with_regions(args.regions, args.weights)
    suite = build(
        args.photos,
        args.out / "suite",
        seed=args.seed,
        per_variant=args.per_variant,
        limit=args.limit,
    )
    describe = partial(
        described_once, paths=suite.paths, folder=args.out / "described", files=suite.digest
    )
    found: list[Result] = []
    absent = {}
    for system in chosen:
        try:
            described = describe(system)
        except NotRun as why:
            absent[system.name] = str(why)
            continue
        found += _evaluated(described, partial(describe, PDQ), suite, args.seed)
    if not found:
        raise ConfigError("--systems", "none ran: " + "; ".join(absent.values()))
    report = Report(machine(), versions(), dict(suite.about), tuple(found), absent)
    (args.out / "results.json").write_text(results.to_json(report), "utf-8")
    return report


def _evaluated(
    described: Described, hashes: Callable[[], Described], suite: Suite, seed: int
) -> Iterator[Result]:
    """As it is, and where the system normalises scores also by raw cosines alone, to see what
    that gives, and what hashes give to the candidates of a scan."""
    near = alone = scanned = similarity(described, described)
    if described.has_parts:
        alone = as_scanned(described)
        scanned = with_hashes(alone, hashes())
    yield evaluate(suite.rows, described, near, scanned, seed=seed)
    if described.commonness is not None:
        raw = replace(described, system=described.system + RAW, commonness=None)
        yield evaluate(suite.rows, raw, near, alone, seed=seed)


def _chosen(known: list[System], names: str | None) -> list[System]:
    wanted = names.split(",") if names else [system.name for system in known]
    if unknown := set(wanted) - {system.name for system in known}:
        have = ", ".join(system.name for system in known)
        raise ConfigError("--systems", f"knows no {', '.join(sorted(unknown))}; there are {have}")
    return [system for system in known if system.name in wanted]


def _read(path: Path) -> Report:
    try:
        return results.from_json(path.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("--from", f"is no report of this bench: {path} ({error})") from error


def _named(report: Report, name: str) -> Result:
    found = {result.system: result for result in report.results}
    if name not in found:
        raise ConfigError("--edits", f"knows no {name}; there are {', '.join(found)}")
    return found[name]


def _head(report: Report) -> str:
    suite = report.suite
    return (
        f"{where(report.machine, report.versions)}\n"
        f"{suite['files']} files made of {suite['photos']} photos, seed {suite['seed']}"
    )


if __name__ == "__main__":
    main()
