"""Measures what nights cost: a folder is crawled and scanned by a real Airflow, then grows.

    python -m benchmarks.nights PHOTOS [--images 2000] [--growth 0.1,0.5] [--out DIR]

The first night finds --images photos, all new; each further one finds so many more, as a share of
them. Photos come in an order that the seed draws. Prints the seconds of each stage, and of the
whole night from asking for the crawl to the end of the scan.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.machine import machine, versions, where
from benchmarks.nights.airflow import Airflow
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine

Figures = Mapping[str, Any]

_STAGES = ("crawl", "fingerprint", "match", "resolve")
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_LONGEST_S = 4 * 3600.0
_SUMMARIES = "SELECT kind, summary FROM ris.run WHERE status = 'done' ORDER BY run_id"


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    photos = sorted(p for p in args.photos.iterdir() if p.suffix.lower() in _SUFFIXES)
    nights = [args.images, *(round(args.images * share) for share in args.growth)]
    if sum(nights) > len(photos):
        parser.error(f"{sum(nights)} photos are needed, and there are {len(photos)}")
    random.Random(args.seed).shuffle(photos)
    with tempfile.TemporaryDirectory() as folder:
        found = list(_measured(Path(folder), photos, nights))
    report = {"machine": machine(), "versions": _versions(), "seed": args.seed, "nights": found}
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "results.json").write_text(json.dumps(report, indent=1))
    print(where(report["machine"], report["versions"]))
    print(f"seed {args.seed}")
    print(*_table(found), sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nights",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("photos", type=Path, metavar="PHOTOS", help="a folder of photos")
    add("--images", type=int, metavar="N", default=2000, help="of the first night: %(default)s")
    add("--growth", type=_shares, metavar="X,X", default=[0.1, 0.5], help="shares: %(default)s")
    add("--out", type=Path, metavar="DIR", help="write results.json there, too")
    add("--seed", type=int, default=0)
    return parser


def _shares(words: str) -> list[float]:
    return [float(word) for word in words.split(",")]


def _versions() -> Mapping[str, str]:
    return versions("ris-jobs", "apache-airflow", "torch", "opencv-python-headless", "pillow")


def _measured(folder: Path, photos: Sequence[Path], nights: Sequence[int]) -> Iterator[Figures]:
    images, home, start = folder / "images", folder / "home", 0
    images.mkdir()
    with Airflow(home) as airflow:
        for new in nights:
            for photo in photos[start : start + new]:
                shutil.copyfile(photo, images / photo.name)
            start += new
            began = time.perf_counter()
            airflow.night(images, _LONGEST_S)
            seconds = time.perf_counter() - began
            yield {"images": start, "new": new, "seconds": seconds} | _stages(home)
        airflow.stop()


def _stages(home: Path) -> dict[str, float]:
    """Seconds of each stage of the last night."""
    with open_engine(Settings(home=home)) as engine, engine.connect() as db:
        summaries = {row.kind: row.summary for row in db.execute(text(_SUMMARIES))}
    taken = {s["name"]: s["seconds"] for s in summaries["scan"]["stages"]}
    taken |= {s["name"]: s["seconds"] for s in summaries["crawl"]["stages"] if s["name"] == "crawl"}
    return {name: taken[name] for name in _STAGES}


def _table(found: Sequence[Figures]) -> Iterator[str]:
    yield (
        "| images | new | "
        + " | ".join(f"{s} s" for s in _STAGES)
        + " | night s | ms a new image |"
    )
    yield "| --- " * (len(_STAGES) + 4) + "|"
    for night in found:
        stages = [f"{night[name]:.1f}" for name in _STAGES]
        each = 1000 * sum(night[name] for name in _STAGES) / night["new"]
        cells = (night["images"], night["new"], *stages, f"{night['seconds']:.1f}", f"{each:.0f}")
        yield "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
