"""Measures what matching a new image costs in a large collection.

    python -m benchmarks.matching.scale PHOTOS... --images 10000,100000 [--grid N] [--new N]

Fills a home with images (:mod:`benchmarks.matching.pictures`) by the real pipeline. --processes N
fills by N processes side by side, which share a Milvus Lite that is served meanwhile. At each size
the new images are matched as in a scan, in a process of its own; up to 256 are one batch. A run
that was stopped goes on where it was. Everything is in --out, results.json too: name another folder
when photos, grid, seed or new images change. Without N.json the largest size N is measured anew.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from sqlalchemy import text

from benchmarks.faults.servers import Milvus
from benchmarks.machine import machine, peak_mib, versions, where
from benchmarks.matching.pictures import Cast, cast, collection, newcomers
from ris_jobs import jobs
from ris_jobs.crawl.directory import uri_of
from ris_jobs.jobs.models import calibration_of, model_of
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, runs
from ris_jobs.store.stores import open_stores

Figures = Mapping[str, Any]

# The collection counts as matched, the new images as not matched yet.
_ONLY_NEW = """
UPDATE ris.descriptor
SET matched_at = CASE WHEN image_id IN (
    SELECT image_id FROM ris.observation WHERE starts_with(uri, :folder)) THEN NULL ELSE now() END
"""
_NO_MATCHES = "DELETE FROM ris.match"


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("ris_jobs").setLevel(logging.INFO)
    of = cast(args.photos, args.new, args.seed)
    most = of.capacity(args.grid)
    if max(args.images) > most:
        parser.error(f"these photos give {most} images at most; a larger --grid gives more")
    args.out.mkdir(parents=True, exist_ok=True)
    newcomers(of, args.seed, args.out / "new")
    sizes = sorted(args.images)
    found = [_figures(of, range(*part), args) for part in pairwise((0, *sizes))]
    report = {
        "machine": machine(),
        "versions": versions(),
        "seed": args.seed,
        "grid": args.grid,
        "photos": len(of.copied) + len(of.strangers) + len(of.hosts) + len(of.cut),
        "sizes": found,
    }
    (args.out / "results.json").write_text(json.dumps(report, indent=1))
    print(where(machine(), versions()))
    print(f"seed {args.seed}, {report['photos']} photos")
    print(*_table(found), sep="\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matching.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTOS", help="folders of photos")
    add("--images", type=_numbers, metavar="N,N", default=[10_000], help="sizes of the collection")
    add("--grid", type=int, default=2, help="windows of a photo across and down: %(default)s")
    add("--new", type=int, metavar="N", default=200, help="new images: %(default)s")
    add("--processes", type=int, default=1, metavar="N", help="that fill it: %(default)s")
    add("--out", type=Path, metavar="DIR", default=Path("build/scale"), help="%(default)s")
    add("--seed", type=int, default=0)
    return parser


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def _figures(of: Cast, numbers: range, args: argparse.Namespace) -> Figures:
    """Once the home has these images, too; kept, for it goes on to grow."""
    out = args.out.resolve()
    kept, old, new = out / f"{numbers.stop}.json", out / f"to-{numbers.stop}", out / "new"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    collection(of, args.grid, numbers, old)
    settings = Settings(home=out / "home")
    jobs.crawl_only(settings, [old, new], LogProgress())
    run = jobs.begin(settings)
    _fill(settings, run, args.processes)
    # A process of its own: its memory is that of matching.
    with _processes(1) as pool:
        matched = pool.submit(_matched, settings, new, run).result()
    found = {"window": _window(old)} | matched
    kept.write_text(json.dumps(found))
    return found


def _fill(settings: Settings, run_id: int, processes: int) -> None:
    """Fingerprints what waits."""
    if processes == 1:
        jobs.step("fingerprint", settings, run_id, LogProgress())
        return
    with Milvus.serving(settings.home) as milvus, _processes(processes) as pool:
        shared = replace(settings, milvus_uri=milvus.uri, workers=1)
        work = ("fingerprint", shared, run_id, LogProgress())
        for done in [pool.submit(jobs.step, *work) for _ in range(processes)]:
            done.result()


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


def _matched(settings: Settings, new: Path, run_id: int) -> dict[str, Any]:
    """Matches the images under ``new`` with all others."""
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.begin() as db:
            db.execute(text(_NO_MATCHES))
            db.execute(text(_ONLY_NEW), {"folder": uri_of(new)})
            indexed = descriptors.indexed(db, stores.model_id, 0, None)
            run = runs.resume(db, run_id)
        began = time.process_time()
        matched = jobs.match(stores, run, calibration_of(settings), settings, LogProgress())
        cpu_s = time.process_time() - began
    return asdict(matched) | {
        "cpu_s": cpu_s,
        "indexed": len(indexed),
        "vectors": sum(indexed.values()),
        "peak_mib": peak_mib(),
    }


def _window(folder: Path) -> tuple[int, int]:
    """The median width and height of the first thousand images."""
    sizes = [Image.open(path).size for path in sorted(folder.iterdir())[:1000]]
    wide, high = (int(median(sides)) for sides in zip(*sizes, strict=True))
    return wide, high


def _table(found: Sequence[Figures]) -> Iterator[str]:
    """Costs of a new image: milliseconds, and pairs that came how far."""
    names = ("images", "vectors", "pixels of a picture", "new", "search ms", "judge ms", "CPU ms")
    reached = ("pairs", "by pixels", "by keypoints", "confirmed")
    yield "| " + " | ".join((*names, *reached, "peak MiB")) + " |"
    yield "| --- " * (len(names) + len(reached) + 1) + "|"
    for one in found:
        new = one["images"]
        cells = [one["indexed"], one["vectors"], "{} × {}".format(*one["window"]), new]
        cells += [f"{1000 * one['stages'][name] / new:.1f}" for name in ("search", "judge")]
        cells.append(f"{1000 * one['cpu_s'] / new:.1f}")
        counts = ("candidates", "pixels", "keypoints", "confirmed")
        cells += [f"{one[name] / new:.2f}" for name in counts]
        yield "| " + " | ".join(map(str, (*cells, f"{one['peak_mib']:.0f}"))) + " |"


if __name__ == "__main__":
    main()
