"""Photographed from a screen, or printed."""

from __future__ import annotations

from math import cos, radians, sin
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.accuracy.edits.framing import bent_inwards, drawn_corners
from benchmarks.accuracy.edits.picture import Picture, Props
from benchmarks.accuracy.edits.tones import mapped
from ris_jobs.demo import edits

Pixels = npt.NDArray[np.float32]

# Angles at which cyan, magenta and yellow are printed so that their dots do not beat.
_SCREENS = (15, 75, 0)


def screen_photo(picture: Picture, props: Props, *, amount: float) -> Picture:
    """A screen taken with a phone: moiré, glare, washed-out tones, a little soft, not quite
    straight, the screen's dark edge around. ``amount`` 0–1 scales all of them."""
    seed = props.rng.getrandbits(32)
    rng = Random(seed)
    pixels = np.asarray(edits.blur(picture.image, amount), np.float32)
    pixels = pixels * _moire(pixels.shape, rng, amount) + _glare(pixels.shape, rng, amount)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    black = 0.08 * amount
    pale = mapped(image, [black + (1 - black) * (v / 255) ** 0.8 for v in range(256)])
    corners = drawn_corners(rng, 0.08 * amount)
    return picture.bent(bent_inwards(pale, corners, (12, 12, 14)), seed=seed)


def halftone(picture: Picture, props: Props, *, cell: int) -> Picture:
    """Dots of cyan, magenta and yellow, one for every ``cell`` pixels, larger where darker."""
    soft = np.asarray(edits.blur(picture.image, cell / 3), np.float32) / 255
    channels = [soft[..., i] > _dots(soft.shape, cell, _SCREENS[i]) for i in range(3)]
    printed = Image.fromarray(np.stack(channels, -1).astype(np.uint8) * 255)
    return picture.repainted(edits.blur(printed, 0.8))


def _moire(shape: tuple[int, ...], rng: Random, amount: float) -> Pixels:
    """Wavy stripes of a few to some tens of pixels, of another phase in each channel (h, w, 3)."""
    height, width = shape[:2]
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle, count, bend = rng.uniform(0, np.pi), rng.uniform(18, 45), rng.uniform(1, 5)
    along = count * (x * cos(angle) + y * sin(angle))
    along = along + bend * (x - rng.random()) * (y - rng.random()) * 2
    phases = 2 * np.pi * along[..., None] + np.array([0, 0.8, 1.6])
    waves: Pixels = (1 + 0.18 * amount * np.sin(phases)).astype(np.float32)
    return waves


def _glare(shape: tuple[int, ...], rng: Random, amount: float) -> Pixels:
    """A lamp's reflection: light added, in grey values (h, w, 1)."""
    height, width = shape[:2]
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    distance = (x - rng.random()) ** 2 + ((y - rng.random()) * height / width) ** 2
    light: Pixels = (140 * amount * np.exp(-distance / 0.03))[..., None].astype(np.float32)
    return light


def _dots(shape: tuple[int, ...], cell: int, degrees: float) -> Pixels:
    """Thresholds 0–1 (h, w): the brightness from which a point stays white."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) * np.float32(2 * np.pi / cell)
    c, s = np.float32(cos(radians(degrees))), np.float32(sin(radians(degrees)))
    waves = np.cos(x * c + y * s) + np.cos(y * c - x * s)
    # The arc sine spreads a cosine's values evenly, so that grey prints as grey.
    thresholds: Pixels = (0.5 + np.arcsin(waves / 2) / np.pi).astype(np.float32)
    return thresholds
