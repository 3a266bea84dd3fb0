"""Words, letters and small figures, drawn from a generator."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from functools import lru_cache
from math import cos, pi, sin
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Pixels = tuple[int, int, int, int]
"""left, top, right, bottom in pixels."""

_VOCABULARY = """
a about after again all always and any because before best big both bring call city cold coffee
come day door early end ever every evening find first for free friend from garden get good green
half happy here home house how if in into just keep kind last late leave left light little long
look made make market morning mountain music near never new news night nobody nothing of off often
old on once one only open other our over paper people photo place quiet rain read ready red right
river road sea see seen she should small soft some still stone story street summer sun table take
tell that the their there they this three time today tomorrow train tree two under until walk warm
water we week well were what when where which white who window winter with wood word work year you
"""
_WORDS = tuple(_VOCABULARY.split())


def words(rng: Random, count: int) -> str:
    """A made-up sentence of ``count`` words."""
    return " ".join(rng.choice(_WORDS) for _ in range(count)).capitalize()


def letters(rng: Random, count: int) -> str:
    return "".join(rng.choice("ABCDEFGHKLMNOPRSTUVWXYZ") for _ in range(count))


def bright(rng: Random) -> Colour:
    """A saturated colour."""
    return colour(rng.random(), rng.uniform(0.6, 1.0), rng.uniform(0.55, 0.95))


def colour(hue: float, saturation: float, value: float) -> Colour:
    """From hue, saturation and value, each 0–1 (hue wraps)."""
    red, green, blue = hsv_to_rgb(hue % 1, saturation, value)
    return (round(255 * red), round(255 * green), round(255 * blue))


@lru_cache(maxsize=128)
def font(points: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(6, points))


def text_in(
    draw: ImageDraw.ImageDraw, box: Pixels, text: str, ink: Colour | int, **how: Any
) -> None:
    """One line, centred, as large as fits into 90 % × 80 % of the box; ``how`` goes to
    :meth:`ImageDraw.text`."""
    width, height = box[2] - box[0], box[3] - box[1]
    left, top, right, bottom = font(100).getbbox(text)
    points = 100 * min(0.9 * width / (right - left), 0.8 * height / (bottom - top))
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    draw.text(centre, text, ink, font(int(points)), anchor="mm", **how)


def paragraph(
    draw: ImageDraw.ImageDraw, box: Pixels, rng: Random, points: int, ink: Colour, lines: int = 99
) -> int:
    """Lines of words from the top of the box, until it or the number of lines is full; the last
    is shorter. Returns the y below them."""
    left, y, right, bottom = box
    step = round(points * 1.45)
    count = max(0, min(lines, (bottom - y) // step))
    for line in range(count):
        share = 1.0 if line < count - 1 else rng.uniform(0.2, 0.9)
        draw.text((left, y), _line(rng, (right - left) * share, points), ink, font(points))
        y += step
    return y


def _line(rng: Random, width: float, points: int) -> str:
    """As many words as fit, at least one."""
    chosen = words(rng, max(1, round(width / points / 1.5))).split()
    while len(chosen) > 1 and font(points).getlength(" ".join(chosen)) > width:
        chosen.pop()
    return " ".join(chosen)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """From one colour above to another below."""
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def face(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, mood: int) -> None:
    """A round yellow face that laughs (0), is sad (1), surprised (2) or in love (3)."""
    x, y = centre
    line = max(1, round(radius / 12))

    def spot(dx: float, dy: float, size: float) -> tuple[float, float, float, float]:
        at, r = (x + dx * radius, y + dy * radius), size * radius
        return (at[0] - r, at[1] - r, at[0] + r, at[1] + r)

    draw.ellipse(spot(0, 0, 1), (255, 205, 60), (150, 100, 10), line)
    for side in (-0.38, 0.38):
        eye = (220, 30, 50) if mood == 3 else (70, 40, 10)
        draw.ellipse(spot(side, -0.25, 0.2 if mood == 3 else 0.13), eye)
    if mood == 1:
        draw.arc(spot(0, 0.65, 0.4), 200, 340, (70, 40, 10), 2 * line)
        draw.ellipse(spot(0.42, 0.15, 0.14), (80, 160, 240))
    elif mood == 2:
        draw.ellipse(spot(0, 0.42, 0.22), (70, 40, 10))
    else:
        draw.chord(spot(0, 0.12, 0.6), 10, 170, (110, 40, 20))


def badge(draw: ImageDraw.ImageDraw, box: Pixels, shape: int, fill: Colour, text: str) -> None:
    """A plain sign with white letters: an ellipse (0), a rounded box (1), a lozenge (2) or a
    hexagon (3)."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    wide, high = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    if shape == 0:
        draw.ellipse(box, fill)
    elif shape == 1:
        draw.rounded_rectangle(box, min(wide, high) / 3, fill)
    else:
        sides = 4 if shape == 2 else 6
        turns = [2 * pi * side / sides for side in range(sides)]
        draw.polygon([(x + wide * cos(t), y + high * sin(t)) for t in turns], fill)
    inner = (int(x - wide * 0.6), int(y - high * 0.45), int(x + wide * 0.6), int(y + high * 0.45))
    text_in(draw, inner, text, (255, 255, 255))


BADGE_AREA = (pi / 4, 1.0, 0.5, 0.65)
"""The share of its box that each shape of :func:`badge` covers, about."""


def chart(size: tuple[int, int], rng: Random, hue: float) -> Image.Image:
    """Bars on white, with a line for the axis."""
    image = Image.new("RGB", size, (250, 250, 250))
    draw = ImageDraw.Draw(image)
    bars = rng.randint(5, 12)
    step, floor = size[0] / (bars + 1), size[1] * 0.9
    for bar in range(bars):
        left, high = step * (bar + 0.65), rng.uniform(0.1, 0.8) * size[1]
        draw.rectangle((left, floor - high, left + step * 0.7, floor), colour(hue, 0.6, 0.8))
    draw.line((step / 3, floor, size[0] - step / 3, floor), (60, 60, 60), 2)
    return image
