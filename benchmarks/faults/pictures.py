"""The folder of a night: photos, copies of them, and files that cannot be used."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos

SIDE = (320, 240)


def write(folder: Path) -> None:
    """Three files a photo, the same bytes twice, and two that are quarantined."""
    folder.mkdir(parents=True)
    for name, photo in photos():
        small = photo.resize(SIDE, Image.Resampling.LANCZOS)
        (folder / f"{name}.jpg").write_bytes(edits.jpeg(small, 92))
        (folder / f"{name}-mirrored.jpg").write_bytes(edits.jpeg(edits.mirror(small), 90))
        (folder / f"{name}-64.jpg").write_bytes(edits.jpeg(edits.thumbnail(small, 64)))
    whole = (folder / "coffee.jpg").read_bytes()
    (folder / "coffee-again.jpg").write_bytes(whole)
    (folder / "coffee-cut-off.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "letter.jpg").write_bytes(b"no picture")


def write_bank(file: Path) -> None:
    """The hash of one of the photos, and one that nothing is near."""
    file.write_text(f"{COFFEE},coffee\n{'0f' * 32},nothing\n")


# The hash in the README's example: the demo's photo "coffee".
COFFEE = "8c629e779a663698b9a33866c026726c21a679f61eb6e1f8c79ba7e23c8299e0"


def poison(folder: Path) -> None:
    """A progressive JPEG whose last scan comes 12,000 times more: few bytes, seconds to decode."""
    _, photo = next(iter(photos()))
    file = io.BytesIO()
    photo.resize((1200, 900)).save(file, "JPEG", progressive=True, quality=5)
    data = file.getvalue()
    scan = data.rindex(b"\xff\xda")
    (folder / "poison.jpg").write_bytes(data[:-2] + data[scan:-2] * 12_000 + data[-2:])
