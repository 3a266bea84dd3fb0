"""Another frame: crops, borders, captions, turns, and frames that are bent or stretched."""

from __future__ import annotations

from math import cos, radians, sin, sqrt, tan
from random import Random

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.accuracy.edits import drawing
from benchmarks.accuracy.edits.picture import Picture, Props, Size
from ris_jobs.demo import edits

GROUNDS = ((0, 0, 0), (255, 255, 255), (128, 128, 128), (48, 96, 160), (226, 212, 190))


def crop(picture: Picture, props: Props, *, area: float) -> Picture:
    """A window of ``area`` of the picture at a random place; its shape is 0.6–1.6 times as wide
    as the picture's, as far as the window fits."""
    width, height = picture.image.size
    stretch = min(max(props.rng.uniform(0.6, 1.6), area), 1 / area)
    wide, high = round(width * sqrt(area * stretch)), round(height * sqrt(area / stretch))
    left, top = props.rng.randint(0, width - wide), props.rng.randint(0, height - high)
    return picture.cut(left, top, left + wide, top + high, at=(left, top), size=(wide, high))


def middle(picture: Picture, props: Props, *, share: float) -> Picture:
    """As screenshots are cut: the full width, and the ``share`` of the height around what is shown
    of the source."""
    width, height = picture.image.size
    high = round(height * share)
    centre = (picture.place[1] + picture.place[3]) / 2 * height
    top = min(max(0, round(centre - high / 2)), height - high)
    return picture.cut(0, top, width, top + high)


def border(picture: Picture, props: Props, *, share: float) -> Picture:
    """Plain, on all sides, ``share`` of the long side wide."""
    colour = props.rng.choice(GROUNDS)
    wide = round(max(picture.image.size) * share)
    return picture.laid(edits.pad(picture.image, share, colour), wide, wide, colour=colour)


def letterbox(picture: Picture, props: Props, *, aspect: float) -> Picture:
    """Bars on two sides until width over height is ``aspect``."""
    colour = props.rng.choice(GROUNDS[:3])
    ground = edits.letterbox(picture.image, aspect, colour)
    left, top = ((ground.size[i] - picture.image.size[i]) // 2 for i in (0, 1))
    return picture.laid(ground, left, top, colour=colour)


def caption(picture: Picture, props: Props, *, share: float) -> Picture:
    """A sentence on a white band above or below, ``share`` of the height more."""
    return _banded(picture, props, share, above=props.rng.random() < 0.5)


def meme(picture: Picture, props: Props, *, share: float) -> Picture:
    """A sentence above and one below, each on a band of ``share`` of the height."""
    above = _banded(picture, props, share, above=True)
    return _banded(above, props, share, above=False)


def _banded(picture: Picture, props: Props, share: float, above: bool) -> Picture:
    text = drawing.words(props.rng, props.rng.randint(3, 7))
    ground = edits.caption_band(picture.image, text, share, above)
    top = ground.height - picture.image.height if above else 0
    return picture.laid(ground, 0, top, text=text, above=above)


def turned(picture: Picture, props: Props, *, orientation: int) -> Picture:
    """Mirrored or turned by quarters, as EXIF ``orientation`` says."""
    return picture.turned(orientation)


def tilted(picture: Picture, props: Props, *, degrees: float) -> Picture:
    """Rotated to one side or the other; the corners that come in are plain."""
    angle, colour = _either(props, degrees), props.rng.choice(GROUNDS)
    image = picture.image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=colour)
    return picture.bent(image, angle=angle, colour=colour)


def straightened(picture: Picture, props: Props, *, degrees: float) -> Picture:
    """Rotated, and cut to the largest upright rectangle of the same shape without corners."""
    angle = _either(props, degrees)
    image = picture.image.rotate(angle, Image.Resampling.BICUBIC)
    width, height = image.size
    long, short = max(image.size), min(image.size)
    keep = 1 / (cos(radians(degrees)) + long / short * sin(radians(degrees)))
    x, y = round(width * (1 - keep) / 2), round(height * (1 - keep) / 2)
    return picture.bent(image.crop((x, y, width - x, height - y)), angle=angle)


def perspective(picture: Picture, props: Props, *, amount: float) -> Picture:
    """Each corner moved inwards by up to ``amount`` of each side; plain ground around."""
    corners, colour = drawn_corners(props.rng, amount), props.rng.choice(GROUNDS)
    image = bent_inwards(picture.image, corners, colour)
    return picture.bent(image, corners=corners.round(4).tolist(), colour=colour)


def shear(picture: Picture, props: Props, *, degrees: float) -> Picture:
    """Uprights lean by ``degrees``; the frame is widened to hold it all."""
    lean, colour = tan(radians(degrees)), props.rng.choice(GROUNDS)
    width, height = picture.image.size
    extra = round(height * lean)
    to_left = props.rng.random() < 0.5
    slope, shift = (-lean, 0.0) if to_left else (lean, -height * lean)
    image = picture.image.transform(
        (width + extra, height),
        Image.Transform.AFFINE,
        (1, slope, shift, 0, 1, 0),
        Image.Resampling.BICUBIC,
        fillcolor=colour,
    )
    return picture.bent(image, to_left=to_left, colour=colour)


def stretched(picture: Picture, props: Props, *, aspect: float) -> Picture:
    """``aspect`` times as wide for its height; the area stays."""
    width, height = picture.image.size
    size = (round(width * sqrt(aspect)), round(height / sqrt(aspect)))
    return picture.repainted(picture.image.resize(size, Image.Resampling.LANCZOS))


def drawn_corners(rng: Random, amount: float) -> npt.NDArray[np.float32]:
    """Four corners clockwise from the top left as float32 (4, 2) fractions, each moved inwards by
    up to ``amount`` on each axis, one corner by all of it."""
    outer = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    moves = [[rng.uniform(0, amount) for _ in range(2)] for _ in outer]
    moves[rng.randrange(4)] = [amount, amount]
    return outer + np.where(outer == 0, 1, -1).astype(np.float32) * np.array(moves, np.float32)


def bent_inwards(
    image: Image.Image, corners: npt.NDArray[np.float32], colour: drawing.Colour
) -> Image.Image:
    """The picture drawn with its corners at ``corners`` (fractions), in a frame of its size."""
    size = np.array(image.size, np.float32)
    outer = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) * size
    matrix = cv2.getPerspectiveTransform(outer, corners * size)
    warped = cv2.warpPerspective(
        np.asarray(image), matrix, image.size, flags=cv2.INTER_LINEAR, borderValue=colour
    )
    return Image.fromarray(warped)


def fitted(picture: Picture, size: Size) -> Picture:
    """The whole picture as large as fits into ``size`` pixels, its shape kept."""
    scale = min(size[0] / picture.image.width, size[1] / picture.image.height)
    width, height = (max(1, round(side * scale)) for side in picture.image.size)
    return picture.resized((width, height))


def _either(props: Props, degrees: float) -> float:
    return degrees if props.rng.random() < 0.5 else -degrees
