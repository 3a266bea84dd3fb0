"""Same framing, less or other detail."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.accuracy.edits.picture import Picture, Props
from ris_jobs.demo import edits


def blurred(picture: Picture, props: Props, *, radius: float) -> Picture:
    """Gaussian, of standard deviation ``radius`` pixels."""
    return picture.repainted(edits.blur(picture.image, radius))


def sharpened(picture: Picture, props: Props, *, percent: int) -> Picture:
    return picture.repainted(edits.sharpen(picture.image, percent))


def noisy(picture: Picture, props: Props, *, sigma: float) -> Picture:
    """Gaussian noise of ``sigma`` grey values in each channel."""
    seed = props.rng.getrandbits(32)
    return picture.repainted(edits.noise(picture.image, sigma, seed), seed=seed)


def pixelated(picture: Picture, props: Props, *, cell: int) -> Picture:
    """Squares of ``cell`` pixels, each of the mean colour."""
    size = picture.image.size
    small = picture.image.reduce(cell)
    large = small.resize((small.width * cell, small.height * cell), Image.Resampling.NEAREST)
    return picture.repainted(large.crop((0, 0, *size)))


def smeared(picture: Picture, props: Props, *, side: int) -> Picture:
    """Median of squares of ``side`` pixels: flat patches as in a painting."""
    return picture.repainted(picture.image.filter(ImageFilter.MedianFilter(side)))


def vignette(picture: Picture, props: Props, *, amount: float) -> Picture:
    """Darker towards the corners, which lose ``amount`` of their light."""
    width, height = picture.image.size
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = 1 - amount * ((x * x + y * y) / 2).astype(np.float32)
    shaded = np.asarray(picture.image, np.float32) * light[..., None]
    return picture.repainted(Image.fromarray(shaded.astype(np.uint8)))
