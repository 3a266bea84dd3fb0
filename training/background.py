"""Pictures that everybody has: plain fields, pages of text, signs, screens. Drawn, never photos.

Two pages of text are near to each other without one being a copy of the other. How near a picture
is to these says how little its nearness to others means; the exported model holds their vectors
(score normalisation, SSCD, Pizzi et al., arXiv 2202.10261).
"""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageDraw

COUNT = 1200

Colour = tuple[int, int, int]
Picture = Image.Image

_SIZES = ((480, 640), (640, 480), (500, 500), (600, 400), (360, 720), (800, 560))
_PAPERS: tuple[tuple[Colour, Colour], ...] = (
    ((255, 255, 255), (20, 20, 20)),
    ((250, 245, 235), (40, 30, 20)),
    ((24, 24, 28), (230, 230, 230)),
)


def background(count: int = COUNT, seed: int = 1) -> list[Picture]:
    """``count`` pictures, every kind in turn; the same seed gives the same pixels."""
    rng = Random(seed)
    return [_KINDS[place % len(_KINDS)](rng) for place in range(count)]


def plain(rng: Random) -> Picture:
    return Image.new("RGB", rng.choice(_SIZES), _colour(rng))


def gradient(rng: Random) -> Picture:
    """From one colour to another, along a line or around a point."""
    y, x = np.mgrid[0:256, 0:256] / 255
    turn = rng.uniform(0, 2 * np.pi)
    straight = np.cos(turn) * x + np.sin(turn) * y
    way = straight if rng.random() < 0.6 else np.hypot(x - rng.random(), y - rng.random())
    share = ((way - way.min()) / np.ptp(way))[..., None]
    one, other = np.array(_colour(rng)), np.array(_colour(rng))
    return Image.fromarray((one + (other - one) * share).astype(np.uint8))


def noise(rng: Random) -> Picture:
    """Grains or blotches, grey or coloured."""
    side, channels = rng.choice((8, 16, 32, 64, 128, 256)), rng.choice((1, 3))
    grain = np.random.default_rng(rng.getrandbits(32))
    values = grain.normal(rng.randrange(60, 200), rng.randrange(10, 90), (side, side, channels))
    pixels = np.broadcast_to(values.clip(0, 255).astype(np.uint8), (side, side, 3))
    how = rng.choice((Image.Resampling.NEAREST, Image.Resampling.BILINEAR))
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((256, 256), how)


def page(rng: Random) -> Picture:
    """Lines of words, with a title or without."""
    paper, ink = rng.choice((*_PAPERS, (_colour(rng), _colour(rng))))
    picture = Image.new("RGB", rng.choice(_SIZES), paper)
    draw, size, left = ImageDraw.Draw(picture), rng.randint(8, 28), rng.randint(5, 80)
    y = rng.randint(10, 80)
    if rng.random() < 0.6:
        draw.text((left, y), _words(rng, 1, 4), ink, font_size=2 * size)
        y += 3 * size
    while y < picture.height - 20 and rng.random() > 0.02:
        if rng.random() > 0.12:  # else the end of a paragraph
            words = _words(rng, 1, 2 * picture.width // (5 * size) + 2)
            draw.text((left, y), words, ink, font_size=size)
        y += int(1.4 * size)
    return picture


def sign(rng: Random) -> Picture:
    """A few shapes and a word: logos, icons, placeholders."""
    ground = rng.choice((_colour(rng), (255, 255, 255), (238, 238, 238), (0, 0, 0)))
    picture = Image.new("RGB", rng.choice(_SIZES), ground)
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    for _ in range(rng.randint(1, 3)):
        x, y = rng.randint(0, width - 40), rng.randint(0, height - 40)
        box = (x, y, rng.randint(x + 20, width), rng.randint(y + 20, height))
        fill = _colour(rng) if rng.random() < 0.6 else None
        rng.choice((draw.ellipse, draw.rectangle))(box, fill, _colour(rng), rng.randint(2, 12))
    if rng.random() < 0.8:
        corner = (width * rng.uniform(0.05, 0.6), height * rng.uniform(0.1, 0.7))
        draw.text(corner, _words(rng, 1, 2), _colour(rng), font_size=rng.randint(14, 120))
    return picture


def screen(rng: Random) -> Picture:
    """An application: a bar, then rows of circles, words and buttons."""
    (paper, ink), accent = rng.choice(_PAPERS), _colour(rng)
    picture = Image.new("RGB", rng.choice(_SIZES), paper)
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    bar, left = rng.randint(30, 70), rng.choice((12, width // 5))
    draw.rectangle((0, 0, width, bar), accent if rng.random() < 0.6 else paper)
    draw.text((20, 0.3 * bar), _words(rng, 1, 2), ink, font_size=20)
    y = bar + rng.randint(5, 20)
    while y < height - 60:
        y += _row(draw, rng, (left, y, width - 12, y + rng.randint(24, 120)), ink, accent) + 12
    return picture


def _row(
    draw: ImageDraw.ImageDraw,
    rng: Random,
    box: tuple[int, int, int, int],
    ink: Colour,
    accent: Colour,
) -> int:
    """Draws one row of a screen into ``box``; returns its height."""
    left, top, right, bottom = box
    if rng.random() < 0.3:
        draw.rounded_rectangle(box, 8, outline=ink)
    if rng.random() < 0.5:
        draw.ellipse((left + 6, top + 6, left + 36, top + 36), _colour(rng))
    for line in range(rng.randint(1, 3)):
        draw.text((left + 48, top + 4 + 18 * line), _words(rng, 1, 6), ink, font_size=14)
    if rng.random() < 0.2:
        draw.rounded_rectangle((right - 88, top + 4, right - 8, top + 32), 6, accent)
    return bottom - top


def _colour(rng: Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _words(rng: Random, least: int, most: int) -> str:
    letters = string.ascii_lowercase
    words = ("".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(most))
    return " ".join(list(words)[: rng.randint(least, most)])


_KINDS: tuple[Callable[[Random], Picture], ...] = (plain, gradient, noise, page, sign, screen)
