"""Measures how well the source of a family is told, beside the rules of other systems.

    python -m benchmarks.provenance PHOTOS [--out DIR] [--families N] [--seed S] [--nights N]
                                          [--kinds KIND...]

Builds families of copies in --out, scans them over several nights by `ris scan` into a home of its
own there, and writes results.json. With --nights, families are looked at after each night; with
--kinds all families are of these. What is there already is not made again; give another --out when
photos, families, seed, nights or kinds change.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions, where
from benchmarks.provenance import nights
from benchmarks.provenance.kinds import KINDS
from benchmarks.provenance.nights import watched
from benchmarks.provenance.rules import RULES, chosen
from benchmarks.provenance.scan import scan, verdicts
from benchmarks.provenance.scores import Said, Score, calibration_error, pairs, said_of, score
from benchmarks.provenance.suite import NIGHTS, Family, build, photos_of

_SELF = "ris-jobs"


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.photos is None or not args.photos.is_dir():
        parser.error("name a folder of photos that were not trained on")
    files = args.out / "files"
    photos = photos_of(args.photos, args.seed)
    nightly = args.nights or NIGHTS
    families = build(photos, args.families, files, args.seed, nightly, args.kinds)
    if args.nights:
        found = list(watched(families, files, args.out, args.nights))
        print(*nights.lines(found), sep="\n")
    else:
        scan(families, files, args.out)
    report = {"machine": machine(), "versions": versions(), "seed": args.seed}
    report |= measured(families, files, args.out)
    (args.out / "results.json").write_text(json.dumps(report, indent=1))
    print(where(machine(), versions()))
    print(
        f"{len(families)} families, {sum(len(f.files) for f in families)} files, seed {args.seed}"
    )
    print(*lines(report), sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.provenance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("photos", nargs="?", type=Path, metavar="PHOTOS", help="photos that were not trained on")
    add("--out", type=Path, metavar="DIR", default=Path("build/provenance"), help="%(default)s")
    add("--families", type=int, metavar="N", default=150, help="at most: %(default)s")
    add("--seed", type=int, default=0)
    add("--nights", type=int, metavar="N", help="files arrive over so many nights, each looked at")
    add("--kinds", nargs="+", metavar="KIND", default=(), choices=KINDS, help=", ".join(KINDS))
    return parser


def measured(families: Sequence[Family], files: Path, out: Path) -> dict[str, Any]:
    family_of, verdict, reasons = verdicts(out)
    own = [said_of(family, family_of, verdict) for family in families]
    peers = {
        name: [Said(chosen(rule, family, files)) for family in families]
        for name, rule in RULES.items()
    }
    precision, recall = pairs(families, family_of)
    return {
        "scores": {name: asdict(score(families, s)) for name, s in {_SELF: own, **peers}.items()},
        "kinds": dict(_by_kind(families, own)),
        "calibration_error": calibration_error(families, own),
        "pair_precision": precision,
        "pair_recall": recall,
        "wrong": list(_wrong(families, own, family_of, reasons)),
    }


def _by_kind(families: Sequence[Family], said: Sequence[Said]) -> Iterator[tuple[str, Any]]:
    for kind in dict.fromkeys(family.kind for family in families):
        of_kind = [(f, s) for f, s in zip(families, said, strict=True) if f.kind == kind]
        yield (
            kind,
            {
                "families": len(of_kind),
                "right": sum(s.source == f.source for f, s in of_kind),
                "undetermined": sum(s.source is None for _, s in of_kind),
            },
        )


def _wrong(
    families: Sequence[Family],
    said: Sequence[Said],
    family_of: Mapping[str, int],
    reasons: Mapping[int, Sequence[str]],
) -> Iterator[dict[str, Any]]:
    for family, one in zip(families, said, strict=True):
        if one.source != family.source:
            held = {f.name: family_of.get(f.name) for f in family.files}
            ids = {number for number in held.values() if number is not None}
            why = {number: reasons[number] for number in ids}
            yield {**asdict(family), "said": asdict(one), "family_of": held, "reasons": why}


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield "| rule | source right | undetermined | decoy chosen | undetermined where undecidable |"
    yield "| --- | --- | --- | --- | --- |"
    for name, values in report["scores"].items():
        yield _line(name, Score(**values))
    yield ""
    yield "| families | count | right | undetermined |"
    yield "| --- | --- | --- | --- |"
    for kind, n in report["kinds"].items():
        yield f"| {kind} | {n['families']} | {n['right']} | {n['undetermined']} |"
    yield ""
    yield f"calibration error {report['calibration_error']:.3f}; pairs in one family: precision "
    yield f"{report['pair_precision']:.4f}, recall {report['pair_recall']:.4f}"


def _line(name: str, of: Score) -> str:
    cells = (
        name,
        f"{of.right:.3f} of {of.decidable}",
        f"{of.open_decidable:.3f}",
        f"{of.decoy_chosen:.3f} of {of.decoys}",
        f"{of.open_undecidable:.3f} of {of.undecidable}",
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
