"""Same framing, with something drawn or laid over it."""

from __future__ import annotations

from math import cos, hypot, pi, sin, sqrt

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.accuracy.edits import drawing
from benchmarks.accuracy.edits.picture import Picture, Props

INKS = ((255, 255, 255), (0, 0, 0), (230, 30, 40), (255, 225, 40))


def text(picture: Picture, props: Props, *, lines: int) -> Picture:
    """Outlined lines at a random height, each a ninth of the picture high."""
    copy, rng = picture.image.copy(), props.rng
    draw, high = ImageDraw.Draw(copy), copy.height // 9
    top, ink = rng.randint(0, copy.height - lines * high), rng.choice(INKS)
    said = [drawing.words(rng, rng.randint(2, 5)) for _ in range(lines)]
    edge = (255, 255, 255) if ink == (0, 0, 0) else (0, 0, 0)
    for line, words in enumerate(said):
        box = (0, top + line * high, copy.width, top + (line + 1) * high)
        drawing.text_in(draw, box, words, ink, stroke_width=max(1, high // 20), stroke_fill=edge)
    return picture.repainted(copy, text=said, ink=ink)


def watermark(picture: Picture, props: Props, *, opacity: float) -> Picture:
    """White or dark letters all over, slanted, as agencies put on previews."""
    width, height = picture.image.size
    name, ink = drawing.letters(props.rng, 5), props.rng.choice(((255, 255, 255), (30, 30, 30)))
    step, side = max(width, height) // 4, round(hypot(width, height))
    tile = Image.new("L", (step, step // 2))
    drawing.text_in(ImageDraw.Draw(tile), (0, 0, *tile.size), name, 255)
    repeats = (side // tile.height + 1, side // tile.width + 1)
    grid = Image.fromarray(np.tile(np.asarray(tile), repeats)).rotate(30)
    left, top = (grid.width - width) // 2, (grid.height - height) // 2
    mask = grid.crop((left, top, left + width, top + height)).point(lambda v: round(v * opacity))
    copy = picture.image.copy()
    copy.paste(ink, mask=mask)
    return picture.repainted(copy, text=name, ink=ink)


def logo(picture: Picture, props: Props, *, area: float) -> Picture:
    """One opaque sign with letters, covering about ``area`` of the picture."""
    copy, rng = picture.image.copy(), props.rng
    shape, name, fill = rng.choice((0, 1)), drawing.letters(rng, 3), drawing.bright(rng)
    side = sqrt(area / drawing.BADGE_AREA[shape])
    wide, high = round(copy.width * side), round(copy.height * side)
    left, top = rng.randint(0, copy.width - wide), rng.randint(0, copy.height - high)
    box = (left, top, left + wide, top + high)
    drawing.badge(ImageDraw.Draw(copy), box, shape, fill, name)
    return picture.repainted(copy, shape=shape, text=name, colour=fill, at=box)


def faces(picture: Picture, props: Props, *, area: float) -> Picture:
    """One to three emoji-like faces that cover about ``area`` of the picture together."""
    copy, rng = picture.image.copy(), props.rng
    count, draw = rng.randint(1, 3), ImageDraw.Draw(copy)
    radius = min(sqrt(area / count * copy.width * copy.height / pi), min(copy.size) / 2)
    moods = [rng.randrange(4) for _ in range(count)]
    for place, mood in enumerate(moods):
        # Side by side, so that they hide as much as they should.
        share = (place + rng.uniform(0.3, 0.7)) / count
        x = radius + share * (copy.width - 2 * radius)
        drawing.face(draw, (x, rng.uniform(radius, copy.height - radius)), radius, mood)
    return picture.repainted(copy, moods=moods, radius=round(radius, 1))


def stripes(picture: Picture, props: Props, *, area: float) -> Picture:
    """Parallel opaque bars at any angle that cover ``area`` of the picture."""
    rng, ink = props.rng, props.rng.choice(INKS)
    angle, count = rng.uniform(0, pi), rng.randint(5, 12)
    pixels = np.array(picture.image)
    y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    along = (x * cos(angle) + y * sin(angle)) * count / max(pixels.shape)
    pixels[along % 1 < area] = ink
    return picture.repainted(Image.fromarray(pixels), ink=ink, angle=angle, count=count)


def blended(picture: Picture, props: Props, *, share: float) -> Picture:
    """With another photo showing through at ``share``."""
    other = props.host(picture.image.size)
    return picture.repainted(Image.blend(picture.image, other, share))


def covered(picture: Picture, props: Props, *, area: float) -> Picture:
    """Another photo on top, over ``area`` of the picture."""
    copy, rng = picture.image.copy(), props.rng
    stretch = rng.uniform(0.7, 1.4)
    wide, high = round(copy.width * sqrt(area * stretch)), round(copy.height * sqrt(area / stretch))
    at = (rng.randint(0, copy.width - wide), rng.randint(0, copy.height - high))
    copy.paste(props.host((wide, high)), at)
    return picture.repainted(copy, at=(*at, at[0] + wide, at[1] + high))
