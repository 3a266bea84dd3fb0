"""Measures what nights cost: a folder is crawled and scanned by a real Airflow, then grows.

    python -m benchmarks.nights PHOTOS [--images 2000] [--growth 0.1,0.5] [--out DIR]

The first night finds --images photos, all new; each further one finds so many more, as a share of
them. Photos come in an order that the seed draws. Prints, as each night ends, for each stage its
seconds and the CPU seconds of its task, child processes included, and the CPU seconds of Milvus;
and the seconds of the whole night, from asking for the crawl to the end of the scan. Other work on
the machine makes seconds longer, and CPU seconds hardly.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.machine import machine, versions, where
from benchmarks.nights.airflow import Airflow
from benchmarks.nights.work import Work
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine

Figures = Mapping[str, Any]

_STAGES = ("crawl", "fingerprint", "match", "resolve")
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_LONGEST_S = 4 * 3600.0
# A night may be more than one run: Airflow crawls by itself as it starts, and a scan follows.
_SUMMARIES = "SELECT summary FROM ris.run WHERE started_at > :began AND status = 'done'"


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    photos = sorted(p for p in args.photos.iterdir() if p.suffix.lower() in _SUFFIXES)
    nights = [args.images, *(round(args.images * share) for share in args.growth)]
    if sum(nights) > len(photos):
        parser.error(f"{sum(nights)} photos are needed, and there are {len(photos)}")
    random.Random(args.seed).shuffle(photos)
    report = {"machine": machine(), "versions": _versions(), "seed": args.seed}
    print(where(report["machine"], report["versions"]))
    print(f"seed {args.seed}")
    print(*_head(), sep="\n", flush=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for night in _measured(Path(folder), photos, nights):
            print(_row(night), flush=True)
            found.append(night)
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                written = json.dumps(report | {"nights": found}, indent=1)
                (args.out / "results.json").write_text(written)


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
    with Airflow(home) as airflow, Work(airflow.process.pid) as work:
        for new in nights:
            for photo in photos[start : start + new]:
                shutil.copyfile(photo, images / photo.name)
            start += new
            before, milvus, began = {*work.tasks}, work.milvus, time.perf_counter()
            at = datetime.now(UTC)
            airflow.night({"roots": [str(images)]}, _LONGEST_S)
            seconds = time.perf_counter() - began
            spent = {task: s for task, s in work.tasks.items() if task not in before}
            yield {
                "images": start,
                "new": new,
                "seconds": seconds,
                "stages": _stages(home, at),
                "cpu": _cpu(airflow, spent) | {"milvus": work.milvus - milvus},
            }
        airflow.stop()


def _stages(home: Path, began: datetime) -> dict[str, float]:
    """Seconds of each stage since then."""
    taken = dict.fromkeys(_STAGES, 0.0)
    with open_engine(Settings(home=home)) as engine, engine.connect() as db:
        for summary in db.scalars(text(_SUMMARIES), {"began": began}):
            for stage in summary["stages"]:
                if stage["name"] in taken:
                    taken[stage["name"]] += stage["seconds"]
    return taken


def _cpu(airflow: Airflow, spent: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds of each stage, from those of its tasks."""
    names = airflow.tasks()
    found = dict.fromkeys(_STAGES, 0.0)
    for task, seconds in spent.items():
        if names[task] in found:
            found[names[task]] += seconds
    return found


def _head() -> Iterator[str]:
    stages = " | ".join(f"{name} s (CPU s)" for name in _STAGES)
    yield f"| images | new | {stages} | Milvus CPU s | night s | CPU ms a new image |"
    yield "| --- " * (len(_STAGES) + 5) + "|"


def _row(night: Figures) -> str:
    cpu = night["cpu"]
    stages = [f"{night['stages'][name]:.1f} ({cpu[name]:.1f})" for name in _STAGES]
    each = 1000 * sum(cpu.values()) / night["new"]
    cells = (
        night["images"],
        night["new"],
        *stages,
        f"{cpu['milvus']:.1f}",
        f"{night['seconds']:.1f}",
        f"{each:.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
