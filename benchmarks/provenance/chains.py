"""Copies of copies: edits drawn by chance, and the files that they are stored in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from random import Random
from typing import Any

from PIL import ExifTags, Image

from benchmarks.accuracy.edits import Picture, Props, encoding, framing, inserts, overlays, tones

SHORTEST = 64
"""Pixels of the short side that no copy goes below."""

_CAMERAS = (("Canon", "EOS 80D"), ("NIKON CORPORATION", "D750"), ("Apple", "iPhone 12"))
_EDITORS = ("Adobe Photoshop 22.1", "GIMP 2.10", "Picasa")


@dataclass(frozen=True, slots=True)
class Coding:
    """How a picture is stored: ``fmt`` JPEG, WEBP or PNG, Pillow's ``options``, and the EXIF
    fields that it claims."""

    fmt: str
    options: Mapping[str, Any]
    claims: Mapping[int, str]

    @property
    def suffix(self) -> str:
        return {"JPEG": ".jpg", "WEBP": ".webp", "PNG": ".png"}[self.fmt]


@dataclass(frozen=True, slots=True)
class Copy:
    """One stored file: the picture as it is read back, its bytes, and what was done to it."""

    picture: Picture
    data: bytes
    coding: Coding
    steps: tuple[str, ...]


def stored(picture: Picture, coding: Coding, steps: tuple[str, ...]) -> Copy:
    exif = Image.Exif()
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    for tag, value in coding.claims.items():
        (photo if tag == ExifTags.Base.DateTimeOriginal else exif)[tag] = value
    buffer = BytesIO()
    picture.image.save(
        buffer, coding.fmt, exif=exif.tobytes() if coding.claims else b"", **coding.options
    )
    data = buffer.getvalue()
    return Copy(picture.encoded(data, coding.suffix), data, coding, (*steps, said(coding)))


def said(coding: Coding) -> str:
    return " ".join([coding.fmt, *(f"{name}={value}" for name, value in coding.options.items())])


def published(rng: Random) -> Coding:
    """As a source is stored: 14 of 20 are JPEG, 3 WebP, 3 PNG; half of the JPEGs name a camera."""
    kind = rng.random()
    if kind < 0.7:
        claims = camera(rng) if rng.random() < 0.5 else {}
        return jpeg(rng.randint(82, 96), rng.choice(("4:4:4", "4:2:0")), claims)
    return Coding("WEBP", {"quality": rng.randint(80, 95)}, {}) if kind < 0.85 else png()


def copied(rng: Random, parent: Coding) -> Coding:
    """As a copy is stored: 15 of 20 are JPEG, 3 WebP, 2 PNG; four in five lose all metadata."""
    kind, claims = rng.random(), _kept(rng, parent)
    if kind < 0.75:
        return jpeg(rng.randint(50, 95), claims=claims)
    return Coding("WEBP", {"quality": rng.randint(60, 90)}, {}) if kind < 0.9 else png()


def jpeg(
    quality: int, subsampling: str = "4:2:0", claims: Mapping[int, str] | None = None
) -> Coding:
    return Coding("JPEG", {"quality": quality, "subsampling": subsampling}, claims or {})


def png() -> Coding:
    return Coding("PNG", {}, {})


def camera(rng: Random, year: int | None = None) -> dict[int, str]:
    """EXIF of a photo as cameras write it, of the given year."""
    make, model = rng.choice(_CAMERAS)
    year = rng.randint(2012, 2020) if year is None else year
    date = f"{year}:{rng.randint(1, 12):02}:{rng.randint(1, 28):02} 12:00:00"
    tag = ExifTags.Base
    return {tag.Make: make, tag.Model: model, tag.DateTimeOriginal: date}


def _kept(rng: Random, parent: Coding) -> Mapping[int, str]:
    chance = rng.random()
    if chance < 0.8:
        return {}
    edited: dict[int, str] = {ExifTags.Base.Software: rng.choice(_EDITORS)}
    return dict(parent.claims) | edited if chance < 0.9 else edited


def generation(parent: Copy, props: Props) -> Copy:
    """A copy of ``parent`` by one or two edits, or by none but a new encoding."""
    rng, picture, steps = props.rng, replace(parent.picture, drawn={}), parent.steps
    for name in rng.sample(sorted(_EDITS), rng.choice((0, 1, 1, 1, 2))):
        edited = _EDITS[name](picture, props)
        if min(edited.image.size) >= SHORTEST:
            picture, steps = edited, (*steps, name)
    return stored(picture, copied(rng, parent.coding), steps)


def composite(parent: Copy, props: Props) -> Copy:
    """Pasted into another photo, or beside one."""
    picture = replace(parent.picture, drawn={})
    if props.rng.random() < 0.5:
        made, name = inserts.pasted(picture, props, area=props.rng.uniform(0.3, 0.6)), "pasted"
    else:
        made, name = inserts.collage(picture, props, columns=2, rows=1, gutter=0.03), "collage"
    return stored(made, copied(props.rng, parent.coding), (*parent.steps, name))


def enlarged(parent: Copy, props: Props) -> Copy:
    """A decoy: more pixels, stored at high quality, one in three with a camera's name on it."""
    rng, image = props.rng, parent.picture.image
    factor = rng.uniform(1.5, 3)
    resample = rng.choice(_INTERPOLATIONS)
    size = (round(image.width * factor), round(image.height * factor))
    picture = replace(parent.picture, image=image.resize(size, resample), file=None)
    claims = camera(rng) if rng.random() < 1 / 3 else {}
    coding = jpeg(rng.randint(92, 98), "4:4:4", claims)
    return stored(picture, coding, (*parent.steps, f"enlarged {factor:.2f} {resample.name}"))


def thumbnail(parent: Copy, props: Props, side: int) -> Copy:
    """The whole with its short side at ``side`` pixels, where that is smaller."""
    factor = max(1.0, min(parent.picture.image.size) / side)
    picture = encoding.downscale(replace(parent.picture, drawn={}), props, factor=factor)
    return stored(picture, copied(props.rng, parent.coding), (*parent.steps, f"thumbnail {side}"))


def cropped(parent: Copy, props: Props, area: float) -> Copy:
    picture = framing.crop(replace(parent.picture, drawn={}), props, area=area)
    return stored(picture, copied(props.rng, parent.coding), (*parent.steps, f"crop {area:.2f}"))


_INTERPOLATIONS = (
    Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS
)  # fmt: skip
_EDITS = {
    "thumbnail": lambda p, props: encoding.downscale(p, props, factor=props.rng.uniform(1.4, 3)),
    "crop": lambda p, props: framing.crop(p, props, area=props.rng.uniform(0.4, 0.9)),
    "border": lambda p, props: framing.border(p, props, share=props.rng.uniform(0.05, 0.15)),
    "caption band": lambda p, props: framing.caption(p, props, share=props.rng.uniform(0.1, 0.25)),
    "text": lambda p, props: overlays.text(p, props, lines=1),
    "watermark": lambda p, props: overlays.watermark(p, props, opacity=props.rng.uniform(0.2, 0.5)),
    "mirrored": lambda p, props: framing.turned(p, props, orientation=2),
    "colour": lambda p, props: tones.colour_shift(p, props, amount=props.rng.uniform(0.1, 0.25)),
    "grey": lambda p, props: tones.grey(p, props),
}
