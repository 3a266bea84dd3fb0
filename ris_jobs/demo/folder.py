"""The demo folder: photos that ship inside scikit-image, and copies of them as people make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.errors import ConfigError

# All are in the public domain or CC0; scikit-image's data/README.txt says where each is from.
PHOTOS = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "hubble_deep_field.jpg",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)

Copy = tuple[str, Callable[[Image.Image], bytes]]

COPIES: tuple[Copy, ...] = (
    ("thumbnail-128.jpg", lambda im: edits.jpeg(edits.thumbnail(im, 128))),
    ("thumbnail-64.webp", lambda im: edits.webp(edits.thumbnail(im, 64))),
    ("recompressed.jpg", lambda im: edits.jpeg(im, quality=60)),
    ("upscaled.jpg", lambda im: edits.jpeg(edits.upscale(im, 2.0), quality=90)),
    ("mirrored.jpg", lambda im: edits.jpeg(edits.mirror(im), quality=90)),
    ("rotated.png", lambda im: edits.png(edits.rotate(im, 90))),
    ("greyscale.jpg", lambda im: edits.jpeg(edits.greyscale(im), quality=90)),
    ("captioned.jpg", lambda im: edits.jpeg(edits.caption(im), quality=90)),
    ("crop.jpg", lambda im: edits.jpeg(edits.crop(im, 0.6), quality=90)),
)


def write(folder: Path) -> tuple[int, int]:
    """Write every photo as a JPEG and its copies beside it. Returns how many of each.

    :class:`ConfigError` when the folder is not empty, or scikit-image is not installed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(str(folder), "is not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    copies = 0
    for name, photo in photos():
        data = edits.jpeg(photo, 92, "4:4:4")
        (folder / f"{name}.jpg").write_bytes(data)
        (folder / f"{name}-copy.jpg").write_bytes(data)
        with Image.open(BytesIO(data)) as written:
            source = written.convert("RGB")
        for suffix, make in COPIES:
            (folder / f"{name}-{suffix}").write_bytes(make(source))
            copies += 1
        copies += 1
    return len(PHOTOS), copies


def photos() -> Iterator[tuple[str, Image.Image]]:
    """Name and picture of each photo. :class:`ConfigError` when scikit-image is missing."""
    try:
        data = files("skimage.data")
    except ModuleNotFoundError as e:
        raise ConfigError("ris demo", "needs scikit-image: pip install 'ris-jobs[demo]'") from e
    for name in PHOTOS:
        with data.joinpath(name).open("rb") as file, Image.open(file) as photo:
            yield Path(name).stem, photo.convert("RGB")
