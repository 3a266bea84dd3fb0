"""The suite: a folder of pictures and the truth about each, built from any folder of photos.

    suite.json    what it was built from: seed, photos, versions, counts
    truth.jsonl   one row a file; the row's number is the file's index everywhere
    images/       the files, named by their row's number

:mod:`benchmarks.accuracy.plan` says which photo plays which role.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.accuracy import maker
from benchmarks.accuracy.plan import SHORTEST_SIDE, plan, usable
from benchmarks.accuracy.truth import Row
from ris_jobs.errors import ConfigError

__all__ = ["Row", "Suite", "build", "load"]

BUILDER = "3"
"""Raised whenever the same call would build another suite."""
FEWEST_PHOTOS = 10
_LIBRARIES = ("numpy", "opencv-python-headless", "pillow")


@dataclass(frozen=True, slots=True)
class Suite:
    """``about`` is what suite.json holds."""

    folder: Path
    about: Mapping[str, Any]
    rows: tuple[Row, ...]

    @property
    def paths(self) -> list[Path]:
        """Every file, in the order of the rows."""
        return [self.folder / row.file for row in self.rows]

    @property
    def digest(self) -> str:
        """12 hex digits that change with what the suite holds."""
        files = (self.folder / name for name in ("suite.json", "truth.jsonl"))
        return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def build(
    photos: Path, out: Path, *, seed: int = 0, per_variant: int = 40, limit: int | None = None
) -> Suite:
    """The suite of the photos in a folder, written to ``out``; the same call with the same
    libraries writes the same bytes. ``per_variant`` photos are copied by each variant; ``limit``
    is how many photos are used, all by default.

    A suite that ``out`` already holds is returned as it is. :class:`ConfigError` when that is
    another one, when ``out`` holds anything else, or when the photos are fewer than 10.
    """
    chosen = list(islice(usable(photos, seed), limit))
    if len(chosen) < FEWEST_PHOTOS:
        found = f"{len(chosen)} photos with {SHORTEST_SIDE} pixels on the short side"
        raise ConfigError(str(photos), f"has {found}: a suite takes {FEWEST_PHOTOS} at least")
    about = _about(chosen, seed, per_variant)
    if out.exists():
        return _existing(out, about)
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "images").mkdir(parents=True)
    rows = maker.write(plan(chosen, seed, per_variant), unfinished, seed)
    counts = dict(sorted(Counter(row.kind for row in rows).items()))
    _save(unfinished, about | {"counts": counts, "files": len(rows)}, rows)
    unfinished.rename(out)
    return load(out)


def load(folder: Path) -> Suite:
    """A suite that :func:`build` wrote. :class:`ConfigError` when the folder holds none."""
    try:
        about = json.loads((folder / "suite.json").read_text("utf-8"))
        lines = (folder / "truth.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError as e:
        raise ConfigError(str(folder), "holds no suite: build one") from e
    return Suite(folder, about, tuple(_row(json.loads(line)) for line in lines))


def _row(values: dict[str, Any]) -> Row:
    box = values["box"]
    return Row(**values | {"box": None if box is None else tuple(box)})


def _existing(out: Path, about: Mapping[str, Any]) -> Suite:
    suite = load(out)
    if {key: suite.about.get(key) for key in about} != about:
        raise ConfigError(str(out), "holds another suite: name another folder, or delete it")
    return suite


def _save(folder: Path, about: Mapping[str, Any], rows: Iterable[Row]) -> None:
    lines = (json.dumps(asdict(row)) + "\n" for row in rows)
    (folder / "truth.jsonl").write_text("".join(lines), "utf-8")
    (folder / "suite.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def _about(photos: Sequence[Path], seed: int, per_variant: int) -> dict[str, Any]:
    digests = "".join(path.name + sha256(path.read_bytes()).hexdigest() for path in photos)
    return {
        "builder": BUILDER,
        "seed": seed,
        "per_variant": per_variant,
        "photos": len(photos),
        "photos_sha256": sha256(digests.encode()).hexdigest(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }
