"""Banks: import lists of known hashes, and look for them among all images."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from ris_jobs.errors import HashListRejected, NotFound
from ris_jobs.jobs.patience import patiently
from ris_jobs.jobs.words import printable
from ris_jobs.match.banks import MIN_QUALITY, near
from ris_jobs.match.hash_list import HashList, parse
from ris_jobs.progress import Progress
from ris_jobs.store import banks
from ris_jobs.store.banks import Bank, Changed
from ris_jobs.store.runs import Run

MAX_BYTES = 64 << 20
_NAME_MAX = 100

# New images and new hashes a transaction, and images a page of those compared before.
_IMAGES, _ENTRIES, _PAGE = 16_384, 16_384, 65_536


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held, and what that changed in its bank."""

    name: str
    found: HashList
    changed: Changed


@dataclass(slots=True)
class Compared:
    """Images compared with known hashes (again for each batch of new hashes), and new hits."""

    images: int = 0
    hits: int = 0
    seconds: float = 0.0


def import_bank(engine: Engine, path: Path, name: str | None) -> Imported:
    """Make the bank ``name`` (None: the file's, without its ending) what the file says: hashes
    that are gone from it leave the bank with their hits. Where entries of the file cannot be used,
    which may be those hashes or what is left of a file that was cut off, and where it lists no
    hash but withdraws some, only those leave that it withdraws or calls poor.

    Raises :class:`HashListRejected` when the file holds no usable hash, too much, or what only a
    header can tell; or when it only withdraws and there is no such bank.
    """
    name = printable("--name", path.stem if name is None else name, _NAME_MAX)
    found = _parsed(path)
    file = os.fsencode(path.name).decode("utf-8", "replace")
    with engine.begin() as db:
        banks.lock(db)
        if not found.hashes and not banks.exists(db, name):
            why = f"it only withdraws hashes, and there is no bank {name!r}; say which by --name"
            raise HashListRejected(str(path), why)
        whole = bool(found.hashes) and not found.bad
        out = found.withdrawn | found.poor
        changed = banks.replace(db, name, file, found.hashes, whole=whole, withdrawn=out)
    return Imported(name, found, changed)


def remove_bank(engine: Engine, name: str) -> None:
    """Forget a bank, its hashes and their hits. :class:`NotFound` when there is none."""
    with engine.begin() as db:
        banks.lock(db)
        if not banks.remove(db, name):
            raise NotFound(f"there is no bank {name!r}; `ris bank list` names those there are")


def list_banks(engine: Engine) -> list[Bank]:
    """All banks, by name."""
    with engine.connect() as db:
        return banks.listed(db)


def compare_banks(engine: Engine, run: Run, progress: Progress, patience: float = 0.0) -> Compared:
    """Compare hashes that are new with the images of before, then new images with all hashes,
    batch by batch; ``patience`` is how many seconds to wait for a server that is away."""
    started = time.perf_counter()
    total = Compared()
    with progress.stage("banks", None) as advance:
        for batch in (_new_entries, _new_images):
            while done := patiently(partial(batch, engine, run), patience):
                total.images += done.images
                total.hits += done.hits
                advance(done.images)
    total.seconds = time.perf_counter() - started
    return total


def _new_entries(engine: Engine, run: Run) -> Compared | None:
    """One batch against all images that were compared before; None when there is none."""
    with engine.begin() as db:
        banks.lock(db)
        entries = banks.new_entries(db, _ENTRIES)
        if not len(entries.ids):
            return None
        done = Compared()
        for images in banks.old_images(db, _PAGE):
            done.images += len(images.ids)
            done.hits += banks.save_hits(db, near(images, entries), run.run_id)
        banks.set_entries_compared(db, entries)
        return done


def _new_images(engine: Engine, run: Run) -> Compared | None:
    """One batch against all hashes, of which none is new by now or is left to the next scan;
    None when there is no image or no bank."""
    with engine.begin() as db:
        banks.lock(db)
        images = banks.new_images(db, _IMAGES)
        entries = banks.old_entries(db) if len(images.ids) else images
        if not len(entries.ids):
            return None
        hits = banks.save_hits(db, near(images, entries), run.run_id)
        banks.set_images_compared(db, images)
        return Compared(len(images.ids), hits)


def _parsed(path: Path) -> HashList:
    try:
        found = parse(_read(path))
    except ValueError as e:
        raise HashListRejected(str(path), str(e)) from None
    if not found.hashes and not found.withdrawn:
        raise HashListRejected(str(path), _why(found))
    return found


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise HashListRejected(
            str(path), f"it is larger than {MAX_BYTES >> 20} MiB; split it into several banks"
        )
    return data


def _why(found: HashList) -> str:
    poor = f"all its PDQ hashes have a quality below {MIN_QUALITY}"
    said = [poor if found.poor else "it holds no PDQ hash of 64 hex digits"]
    if found.others:
        entries = "1 entry is" if found.others == 1 else f"{found.others:,} entries are"
        said.append(f"{entries} of another signal type or withdrawn")
    if found.problems:
        said.append(f"{found.problems[0].place}: {found.problems[0].reason}")
    return "; ".join(said)
