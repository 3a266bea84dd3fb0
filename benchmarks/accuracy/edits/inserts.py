"""The picture inside something larger: other photos, a collage, an application or a web page."""

from __future__ import annotations

from math import sqrt
from random import Random

from PIL import Image

from benchmarks.accuracy.edits import screens
from benchmarks.accuracy.edits.framing import fitted
from benchmarks.accuracy.edits.picture import Picture, Props


def pasted(picture: Picture, props: Props, *, area: float) -> Picture:
    """Into another photo, a fifth larger than this one and of nearly its shape, at ``area``."""
    rng, (width, height) = props.rng, picture.image.size
    stretch = rng.uniform(0.9, 1.1)
    host = props.host((round(1.2 * width * stretch), round(1.2 * height / stretch)))
    side = 1.2 * sqrt(area)
    small = picture.resized((round(width * side), round(height * side)))
    left = rng.randint(0, host.width - small.image.width)
    top = rng.randint(0, host.height - small.image.height)
    return small.laid(host, left, top, foreign=True, at=(left, top))


def filled_collage(
    picture: Picture, props: Props, *, columns: int, rows: int, gutter: float, shape: float
) -> Picture:
    """As :func:`collage`, with cells ``shape`` times as wide for their height as the picture, whose
    middle is cut out to fill its one."""
    width, height = picture.image.size
    wide, high = round(width * min(1.0, shape)), round(height * min(1.0, 1 / shape))
    left, top = (width - wide) // 2, (height - high) // 2
    middle = picture.cut(left, top, left + wide, top + high)
    return collage(middle, props, columns=columns, rows=rows, gutter=gutter)


def collage(picture: Picture, props: Props, *, columns: int, rows: int, gutter: float) -> Picture:
    """One cell of a grid, the others being other photos; ``gutter`` is the white space between
    and around, as a share of a cell's width."""
    side = sqrt(2 / (columns * rows))
    wide, high = round(picture.image.width * side), round(picture.image.height * side)
    cell = picture.resized((wide, high))
    gap = round(gutter * wide)
    size = (columns * (wide + gap) + gap, rows * (high + gap) + gap)
    canvas = Image.new("RGB", size, (255, 255, 255))
    places = [
        (gap + column * (wide + gap), gap + row * (high + gap))
        for row in range(rows)
        for column in range(columns)
    ]
    own = props.rng.randrange(len(places))
    for place in places[:own] + places[own + 1 :]:
        canvas.paste(props.host((wide, high)), place)
    return cell.laid(canvas, *places[own], foreign=True, cell=own)


def phone_screenshot(picture: Picture, props: Props, *, area: float) -> Picture:
    """In a made-up application on a phone, at ``area`` of the screen or as wide as it is."""
    return _shown(picture, props, screens.PHONE, screens.phone, area)


def desktop_screenshot(picture: Picture, props: Props, *, area: float) -> Picture:
    """In a made-up web page, in a window of which the picture takes about ``area``."""
    aspect = min(max(1.2 * picture.image.width / picture.image.height, 0.9), 1.9)
    size = (round(screens.DESKTOP_HEIGHT * aspect), screens.DESKTOP_HEIGHT)
    return _shown(picture, props, size, screens.desktop, area)


def _shown(
    picture: Picture,
    props: Props,
    size: tuple[int, int],
    layout: screens.Layout,
    area: float,
) -> Picture:
    aspect = picture.image.width / picture.image.height
    high = sqrt(area * size[0] * size[1] / aspect)
    room = screens.room(size)
    small = fitted(picture, (min(room[0], round(high * aspect)), min(room[1], round(high))))
    seed = props.rng.getrandbits(32)
    rng = Random(seed)
    screen = layout(size, small.image.size, rng, rng, props.host)
    return small.laid(screen.image, *screen.corner, foreign=True, seed=seed)
