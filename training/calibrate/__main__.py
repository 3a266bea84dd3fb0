"""Fits the probabilities of matches, and measures matching, on photos kept apart for it.

    python -m training.calibrate PHOTOS [--model builtin] [--dry-run] [--brief]

Two suites (:mod:`benchmarks.accuracy.suite`) are built of the reserved photos
(:mod:`training.splits`): copies by every edit, and pictures that look alike but are no copies.
Every image looks for its nearest neighbours as a scan does, and what a scan would confirm is
sampled: a picture and what was made of it are copies of each other, all others are not. Beside
each suite further pictures that look alike are drawn (:mod:`training.calibrate.alike`). One suite
fits the coefficients in ``ris_jobs/match/calibration.json``, the other gives every figure that is
printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability import error, table
from ris_jobs.fingerprint import descriptor
from ris_jobs.match import calibration as coefficients
from ris_jobs.match import examine
from ris_jobs.match.calibration import ANY_MODEL, Calibration
from training.calibrate.fit import (
    ANY_SEARCH,
    Sample,
    entry,
    near,
    renewed,
    sample,
    search_cosine,
    with_more,
)
from training.calibrate.measure import measure, reliability, shapes
from training.calibrate.pairs import COPIES, OTHERS, Scan, collections, scan
from training.reliability import plot
from training.splits import split

_RECORD = Path(__file__).parents[1] / "record"
_DESTINATION = Path(coefficients.__file__).parent / "calibration.json"

Entries = Mapping[str, dict[str, Any]]


def main() -> None:
    options = _options()
    started, spec = time.monotonic(), descriptor.spec(options.model)
    print(f"{spec.id}, seed {options.seed}, numpy {np.__version__}, {platform.machine()}")
    (fitted, more_fitted), (held, more_held) = _scans(options)
    rng, search = np.random.default_rng(options.seed), search_cosine(fitted)
    print(f"pixels are looked at from cosine {search}; {len(held.pairs)} held-out candidates")
    alike = partial(sample, search=search, rng=rng, without=(COPIES, OTHERS))
    data = with_more(sample(fitted, search, rng), alike(more_fitted))
    test = with_more(sample(held, search, rng), alike(more_held))
    made = {
        "command": "python -m training.calibrate PHOTOS",
        "model": options.model,
        "seed": options.seed,
        "weights_sha256": spec.sha256,
        "pairs": len(data.rows),
    }
    entries = {
        spec.id: entry(data, search, of_the_model=True, made=made),
        ANY_MODEL: entry(data, ANY_SEARCH, of_the_model=False, made=made),
    }
    for name, values in entries.items():
        print(*_reliable(name, values, test), sep="\n")
    if not options.dry_run:
        _write(entries, test, _RECORD / f"calibration-{spec.id}.png")
    if not options.brief:
        print("per family of edits, of the held-out photos:", flush=True)
        print(*measure(held, Calibration.from_entry(spec.id, entries[spec.id])), sep="\n")
    print(f"{time.monotonic() - started:.0f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("photos", type=Path, help="folder of the training photos")
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="print, but write nothing")
    parser.add_argument("--brief", action="store_true", help="without the figures per edit")
    options = parser.parse_args()
    try:
        options.parts = split(options.photos)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return options


def _scans(options: argparse.Namespace) -> Iterator[tuple[Scan, Scan]]:
    """Of the photos to fit on, and of those to measure on: the suite, and what further looks
    alike."""
    parts = options.parts.calibration, options.parts.validation
    for n, photos in enumerate(parts, 1):
        suite, further = collections(photos, options.model, options.seed + n)
        yield scan(suite, options.model), scan(further, options.model)


def _reliable(name: str, values: dict[str, Any], test: Sample) -> Iterator[str]:
    """Coefficients and how true their probabilities are, with previews and without."""
    fitted = Calibration.from_entry(name, values)
    yield f"{name}, by pixels: {json.dumps(values['pixels'])}"
    yield from table(reliability(test, fitted.pixels))
    for shape, pairs in shapes(test).items():
        yield f"  of {shape}: {error(reliability(pairs, fitted.pixels)):.4f}"
    yield f"{name}, by hashes within {examine.HASHES_SURE}: {json.dumps(values['hashes'])}"
    yield from table(reliability(near(test, examine.HASHES_SURE), fitted.hashes))


def _write(entries: Entries, test: Sample, picture: Path) -> None:
    """Puts entries into calibration.json, and draws the diagram."""
    shipped = json.loads(_DESTINATION.read_text("utf-8"))
    text = json.dumps(renewed(shipped, entries), indent=2, sort_keys=True)
    _DESTINATION.write_text(text + "\n", "utf-8")
    fitted = {name: Calibration.from_entry(name, values) for name, values in entries.items()}
    plot({name: reliability(test, one.pixels) for name, one in fitted.items()}, picture)


if __name__ == "__main__":
    main()
