"""A copy in the making: its pixels, and where in them the source is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ris_jobs.match import Relation
from ris_jobs.match.orientation import MIRRORED, ORIENTATIONS, ROTATED, inverse, turn

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1: left, top, right, bottom, as fractions of a picture's sides."""
Size = tuple[int, int]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Props:
    """What an edit may use besides the picture: chance, and other photos."""

    rng: Random
    hosts: Sequence[Image.Image] = ()

    def host(self, size: Size) -> Image.Image:
        """A host photo, drawn at random, cut and scaled to ``size`` pixels."""
        centre = (self.rng.random(), self.rng.random())
        return ImageOps.fit(self.rng.choice(self.hosts), size, centering=centre)


@dataclass(frozen=True, slots=True)
class Picture:
    """An RGB picture made of a source of ``source`` (width, height) pixels.

    The part ``seen`` of the source, after the EXIF transform ``orientation``, lies at ``place`` of
    the picture. ``foreign``: what lies around it is another picture; ``changed``: its content is
    another; ``warped``: straight lines moved, so that the boxes hold only roughly. ``drawn`` is
    what the last edit drew by chance. ``file`` holds the encoded bytes and the name ending where
    the last edit was an encoding.
    """

    image: Image.Image
    source: Size
    seen: Box = WHOLE
    place: Box = WHOLE
    orientation: int = 1
    foreign: bool = False
    changed: bool = False
    warped: bool = False
    drawn: Mapping[str, object] = field(default_factory=dict)
    file: tuple[bytes, str] | None = None

    def repainted(self, image: Image.Image, **drawn: object) -> Picture:
        """The same framing with other content (or stretched)."""
        return self._with(image, drawn, changed=True)

    def bent(self, image: Image.Image, **drawn: object) -> Picture:
        """The same framing, with the content moved about in it."""
        return self._with(image, drawn, changed=True, warped=True)

    def resized(self, size: Size) -> Picture:
        """The whole picture at another size in pixels, by Lanczos."""
        return self._with(self.image.resize(size, Image.Resampling.LANCZOS), {})

    def turned(self, orientation: int) -> Picture:
        """After the EXIF transform ``orientation`` (1–8)."""
        pixels = np.ascontiguousarray(turn(np.asarray(self.image), orientation))
        place = _turned(self.place, orientation)
        both = _composed(self.orientation, orientation)
        return self._with(Image.fromarray(pixels), {}, place=place, orientation=both)

    def cut(self, left: int, top: int, right: int, bottom: int, **drawn: object) -> Picture:
        """The window of these pixels, which must show some of the source."""
        width, height = self.image.size
        window = (left / width, top / height, right / width, bottom / height)
        visible = _common(self.place, window)
        part = _turned(_relative(visible, self.place), inverse(self.orientation))
        return self._with(
            self.image.crop((left, top, right, bottom)),
            drawn,
            seen=_inside(part, self.seen),
            place=_relative(visible, window),
        )

    def laid(
        self, ground: Image.Image, left: int, top: int, *, foreign: bool = False, **drawn: object
    ) -> Picture:
        """Pasted onto a larger ``ground`` with its corner at these pixels."""
        canvas = ground.copy()
        canvas.paste(self.image, (left, top))
        right, bottom = left + self.image.width, top + self.image.height
        width, height = canvas.size
        place = _inside(self.place, (left / width, top / height, right / width, bottom / height))
        return self._with(canvas, drawn, place=place, foreign=foreign or self.foreign)

    def encoded(self, data: bytes, suffix: str, **drawn: object) -> Picture:
        """What is left of it in the file ``data``."""
        with Image.open(BytesIO(data)) as image:
            return self._with(image.convert("RGB"), drawn, file=(data, suffix))

    def _with(self, image: Image.Image, drawn: Mapping[str, object], **changes: Any) -> Picture:
        fresh = {"file": None} | changes
        return replace(self, image=image, drawn={**self.drawn, **drawn}, **fresh)

    @property
    def scale(self) -> float | None:
        """Linear size of the part shown: derived over source; None where it is warped."""
        if self.warped:
            return None
        shown = _area(self.place) * self.image.width * self.image.height
        taken = _area(self.seen) * self.source[0] * self.source[1]
        return round(float((shown / taken) ** 0.5), 6)

    @property
    def relation(self) -> Relation | None:
        """What explains most, in the order of :mod:`ris_jobs.match.relation`; None where several
        relations explain as much."""
        framed = self.place != WHOLE
        if framed and (self.warped or (self.seen != WHOLE and not self.foreign)):
            return None
        if framed:
            return Relation.COMPOSITE if self.foreign else Relation.PADDED
        if self.seen != WHOLE:
            return None if self.warped else Relation.CROP
        return self._whole_relation()

    def _whole_relation(self) -> Relation:
        if self.orientation in MIRRORED | ROTATED:
            return Relation.MIRRORED if self.orientation in MIRRORED else Relation.ROTATED
        if self.changed:
            return Relation.EDITED
        if self.image.size == self.source:
            return Relation.RECOMPRESSED
        return Relation.THUMBNAIL if self.image.width < self.source[0] else Relation.UPSCALED

    @property
    def box(self) -> Box | None:
        """The part of the source for a crop; where the source lies for padded and composite."""
        if self.relation is Relation.CROP:
            return _rounded(self.seen)
        framed = self.relation in (Relation.PADDED, Relation.COMPOSITE)
        return _rounded(self.place) if framed else None


def _rounded(box: Box) -> Box:
    return (round(box[0], 6), round(box[1], 6), round(box[2], 6), round(box[3], 6))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _common(one: Box, other: Box) -> Box:
    low = max(one[0], other[0]), max(one[1], other[1])
    return (*low, min(one[2], other[2]), min(one[3], other[3]))


def _relative(box: Box, frame: Box) -> Box:
    """``box`` in fractions of ``frame``, both given in one picture."""
    (x, y), width, height = frame[:2], frame[2] - frame[0], frame[3] - frame[1]
    return (
        (box[0] - x) / width, (box[1] - y) / height,
        (box[2] - x) / width, (box[3] - y) / height,
    )  # fmt: skip


def _inside(part: Box, frame: Box) -> Box:
    """``part``, in fractions of ``frame``, in the picture that ``frame`` is given in."""
    (x, y), width, height = frame[:2], frame[2] - frame[0], frame[3] - frame[1]
    return (
        x + part[0] * width, y + part[1] * height,
        x + part[2] * width, y + part[3] * height,
    )  # fmt: skip


def _turned(box: Box, orientation: int) -> Box:
    x0, y0, x1, y1 = box
    if orientation in (5, 6, 7, 8):
        x0, y0, x1, y1 = y0, x0, y1, x1
    if orientation in (3, 4, 7, 8):
        y0, y1 = 1 - y1, 1 - y0
    if orientation in (2, 3, 6, 7):
        x0, x1 = 1 - x1, 1 - x0
    return (x0, y0, x1, y1)


def _composed(first: int, second: int) -> int:
    probe = np.arange(4).reshape(2, 2)
    both = turn(turn(probe, first), second)
    return next(o for o in ORIENTATIONS if np.array_equal(turn(probe, o), both))
