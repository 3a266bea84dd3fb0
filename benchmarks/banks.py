"""Measures how long known hashes take to be looked for: 100,000 images with 10,000 hashes.

python -m benchmarks.banks

Images and hashes are random, in a database of their own that is thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import runs
from ris_jobs.store.postgres import open_engine

IMAGES, HASHES = 100_000, 10_000

_ADD_IMAGES = """
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id, status, width, height, format,
                       frames, exif_orientation, phash, dhash, pdq, pdq_quality, complexity,
                       colourfulness, spectrum, traces)
SELECT md5(h) || md5(h || 'x'), 99, now(), :run_id, 'ok', 4, 3, 'PNG', 1, 1,
       decode(repeat('07', 64), 'hex'), decode(repeat('05', 64), 'hex'), decode(h, 'hex'), 90,
       0.5, 20, array_fill(CAST(0 AS float8), ARRAY[32]), '{}'
FROM unnest(CAST(:hashes AS text[])) AS h
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        with open_engine(settings) as engine:
            _measure(engine, settings, Path(folder))


def _measure(engine: Engine, settings: Settings, folder: Path) -> None:
    rng = np.random.default_rng(0)
    with engine.begin() as db:
        run = runs.start(db, "scan", settings)
        images = {"run_id": run.run_id, "hashes": _hashes(rng, IMAGES)}
        db.execute(text(_ADD_IMAGES), images)
    compare = partial(jobs.compare_banks, engine, run, LogProgress())
    for name in ("first", "second"):
        file = folder / f"{name}.csv"
        file.write_text("\n".join(_hashes(rng, HASHES)))
        _timed(f"import of the {name} bank", partial(jobs.import_bank, engine, file, None))
        _timed(f"scan after the {name} bank", compare)
    _timed("scan with nothing new", compare)


def _hashes(rng: np.random.Generator, count: int) -> list[str]:
    return [rng.bytes(32).hex() for _ in range(count)]


def _timed(what: str, work: Callable[[], object]) -> None:
    started = perf_counter()
    work()
    print(f"{what:<28} {perf_counter() - started:6.2f} s")


if __name__ == "__main__":
    main()
