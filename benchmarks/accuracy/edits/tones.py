"""Other tones and colours, point by point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.accuracy.edits.picture import Picture, Props
from ris_jobs.demo import edits

# As the CSS filter `sepia(1)` has it (W3C Filter Effects Module Level 1).
_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)


def grey(picture: Picture, props: Props) -> Picture:
    return picture.repainted(edits.greyscale(picture.image))


def sepia(picture: Picture, props: Props) -> Picture:
    toned = np.asarray(picture.image, np.float32) @ _SEPIA.T
    return picture.repainted(Image.fromarray(toned.clip(0, 255).astype(np.uint8)))


def inverted(picture: Picture, props: Props) -> Picture:
    return picture.repainted(ImageOps.invert(picture.image))


def colour_shift(picture: Picture, props: Props, *, amount: float) -> Picture:
    """Each channel ``amount`` brighter or darker, not all alike."""
    gains = [1 - amount, 1 + amount, props.rng.choice((1 - amount, 1 + amount))]
    props.rng.shuffle(gains)
    return picture.repainted(edits.colour_shift(picture.image, *gains), gains=gains)


def hue(picture: Picture, props: Props, *, degrees: float) -> Picture:
    """Every hue turned by ``degrees``."""
    channels = list(picture.image.convert("HSV").split())
    table = [round(value + degrees / 360 * 256) % 256 for value in range(256)]
    channels[0] = channels[0].point(table)
    return picture.repainted(Image.merge("HSV", channels).convert("RGB"))


def saturation(picture: Picture, props: Props, *, factor: float) -> Picture:
    return picture.repainted(ImageEnhance.Color(picture.image).enhance(factor))


def gamma(picture: Picture, props: Props, *, exponent: float) -> Picture:
    """Values in 0–1 to the power ``exponent``: below 1 is brighter."""
    return picture.repainted(mapped(picture.image, [v**exponent for v in _LEVELS]))


def brightness(picture: Picture, props: Props, *, factor: float) -> Picture:
    return picture.repainted(edits.brightness(picture.image, factor))


def contrast(picture: Picture, props: Props, *, factor: float) -> Picture:
    return picture.repainted(edits.contrast(picture.image, factor))


def posterised(picture: Picture, props: Props, *, bits: int) -> Picture:
    return picture.repainted(ImageOps.posterize(picture.image, bits))


def mapped(image: Image.Image, levels: Sequence[float]) -> Image.Image:
    """Each of the 256 values of a channel replaced by its entry in ``levels`` (0–1)."""
    return image.point([round(255 * level) for level in levels] * 3)


_LEVELS = [value / 255 for value in range(256)]
