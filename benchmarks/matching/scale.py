"""Measures what matching a new image costs in a large collection.

    python -m benchmarks.matching.scale PHOTOS... --images 10000,100000 [--grid N] [--new N]

Fills a home for each number of images (:mod:`benchmarks.matching.pictures`), described by the real
pipeline, adds the new images and matches these as a scan does, in a process of its own; up to 256
are one batch. Filling goes on where it was stopped, and what is filled is only measured anew.
Everything, results.json too, is in --out: delete it when the photos or the seed changed.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from sqlalchemy import text

from benchmarks.machine import machine, peak_mib, versions, where
from benchmarks.matching.pictures import Cast, cast, collection, newcomers
from ris_jobs import jobs
from ris_jobs.crawl.directory import uri_of
from ris_jobs.jobs.models import model_of
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors
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
    found = [_figures(of, images, args) for images in args.images]
    report = {
        "machine": machine(),
        "versions": versions(),
        "seed": args.seed,
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
    add("--out", type=Path, metavar="DIR", default=Path("build/scale"), help="%(default)s")
    add("--seed", type=int, default=0)
    return parser


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def _figures(of: Cast, images: int, args: argparse.Namespace) -> Figures:
    """Of a collection of this many images; its home is filled where it is not."""
    folder = (args.out / f"{images}-{args.grid}x{args.grid}").resolve()
    old, new = folder / "collection", folder / "new"
    collection(of, args.grid, images, old)
    newcomers(of, args.seed, new)
    settings = Settings(home=folder / "home")
    # Each on its own, so that one that was stopped has no new image before the others.
    for pictures in (old, new):
        jobs.crawl_only(settings, [pictures], LogProgress())
        run = jobs.begin(settings)
        jobs.step("fingerprint", settings, run, LogProgress())
    holds = _prepared(settings, new)
    # A process of its own: its memory is that of matching.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        matched = pool.submit(_matched, settings, run).result()
    return {"asked": images, "grid": args.grid, "window": _window(old)} | holds | matched


def _prepared(settings: Settings, new: Path) -> dict[str, int]:
    """Only the new images are to be matched. Returns how many images and vectors there are."""
    with open_stores(settings, model_of(settings)) as stores, stores.engine.begin() as db:
        db.execute(text(_NO_MATCHES))
        db.execute(text(_ONLY_NEW), {"folder": uri_of(new)})
        indexed = descriptors.indexed(db, stores.model_id)
        return {"indexed": len(indexed), "vectors": sum(indexed.values())}


def _matched(settings: Settings, run: int) -> dict[str, Any]:
    return jobs.step("match", settings, run, LogProgress()) | {"peak_mib": peak_mib()}


def _window(folder: Path) -> tuple[int, int]:
    """The median width and height of the first thousand images."""
    sizes = [Image.open(path).size for path in sorted(folder.iterdir())[:1000]]
    wide, high = (int(median(sides)) for sides in zip(*sizes, strict=True))
    return wide, high


def _table(found: Sequence[Figures]) -> Iterator[str]:
    """Costs of a new image: milliseconds, and pairs that came how far."""
    names = ("images", "vectors", "pixels of a picture", "new", "search ms", "judge ms")
    reached = ("pairs", "by pixels", "by keypoints", "confirmed")
    yield "| " + " | ".join((*names, *reached, "peak MiB")) + " |"
    yield "| --- " * (len(names) + len(reached) + 1) + "|"
    for one in found:
        new = one["images"]
        cells = [one["indexed"], one["vectors"], "{} × {}".format(*one["window"]), new]
        cells += [f"{1000 * one['stages'][name] / new:.1f}" for name in ("search", "judge")]
        counts = ("candidates", "pixels", "keypoints", "confirmed")
        cells += [f"{one[name] / new:.2f}" for name in counts]
        yield "| " + " | ".join(map(str, (*cells, f"{one['peak_mib']:.0f}"))) + " |"


if __name__ == "__main__":
    main()
