"""Hard negatives: pictures that look alike, and none is a copy of another.

Each group is made in series. ``style`` draws what the pictures of one series share (a meme's
background, an interface, a page's layout), ``content`` what each has of its own. What
:data:`SHOWING` makes shows another photo in each picture of a series. Of one photo are made
``same-scene``, two windows that do not touch, and ``views``, the scene from a step aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from random import Random
from typing import Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from benchmarks.accuracy.edits import drawing, screens
from benchmarks.accuracy.edits.picture import Size

Maker = Callable[[Random, Random], Image.Image]
Shower = Callable[[Random, Random, Image.Image], Image.Image]

SAME_SCENE, SCENE_VIEWS = "same-scene", "views"


Made = TypeVar("Made", Maker, Shower)


@dataclass(frozen=True, slots=True)
class Group(Generic[Made]):
    """``files`` pictures at the default scale of 300 photos, ``series`` of them in one style."""

    make: Made
    files: int
    series: int

    def of(self, number: int) -> int:
        """The number of a picture's series."""
        return number // self.series


def make(group: str, number: int, seed: int) -> Image.Image:
    """Picture ``number`` of a group of :data:`GROUPS`, RGB."""
    return GROUPS[group].make(*_hands(group, number, GROUPS[group].of(number), seed))


def show(group: str, number: int, seed: int, photo: Image.Image) -> Image.Image:
    """Picture ``number`` of a group of :data:`SHOWING`, RGB, with the photo in it."""
    return SHOWING[group].make(*_hands(group, number, SHOWING[group].of(number), seed), photo)


def _hands(group: str, number: int, series: int, seed: int) -> tuple[Random, Random]:
    """Style and content."""
    return Random(f"{seed} {group} style {series}"), Random(f"{seed} {group} content {number}")


def windows(photo: Image.Image, rng: Random) -> tuple[Image.Image, Image.Image]:
    """Two windows side by side along the photo's long side, a tenth of it apart."""
    width, height = photo.size
    share = rng.uniform(0.4, 0.45)
    if width >= height:
        edge = round(width * share)
        return photo.crop((0, 0, edge, height)), photo.crop((width - edge, 0, width, height))
    edge = round(height * share)
    return photo.crop((0, 0, width, edge)), photo.crop((0, height - edge, width, height))


def view(photo: Image.Image, rng: Random, side: int) -> Image.Image:
    """The scene of a photo, seen as it is (0) or from a step aside (1): what is lower in the
    picture and what stands out in it is nearer, and moves more."""
    step, planes = rng.uniform(0.03, 0.06), rng.randint(3, 6)
    pixels = np.asarray(photo)
    height, width = pixels.shape[:2]
    margin = round(0.08 * width)
    if side:
        near = _nearness(pixels, planes, rng)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        x += near * np.float32(step * width)
        pixels = cv2.remap(pixels, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return Image.fromarray(pixels[:, margin : width - margin])


def _nearness(pixels: npt.NDArray[np.uint8], planes: int, rng: Random) -> npt.NDArray[np.float32]:
    """How near what a photo (h, w, 3) shows is taken to be, float32 (h, w), 0–1: that of planes,
    which are what has one colour at one place, and nearer towards the lower edge."""
    height, width = pixels.shape[:2]
    small = cv2.resize(cv2.medianBlur(pixels, 5), (64, 64), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    y, x = (grid.reshape(-1, 1).astype(np.float32) for grid in np.mgrid[:64, :64])
    cv2.setRNGSeed(rng.getrandbits(31))
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    places = np.hstack([lab, x, y])
    labels = np.zeros((len(places), 1), np.int32)
    cv2.kmeans(places, planes, labels, stop, 2, cv2.KMEANS_PP_CENTERS)
    depths = np.array([rng.random() for _ in range(planes)], np.float32)
    near = 0.6 * depths[labels.reshape(64, 64)] + 0.4 * (y / 64).reshape(64, 64)
    large = cv2.resize(near, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(large, (0, 0), width / 150), np.float32)


def template(style: Random, content: Random) -> Image.Image:
    """A meme: one drawn figure on one ground; the captions and a small inset change."""
    size = (style.randint(420, 640), style.randint(400, 560))
    image = drawing.gradient(size, drawing.bright(style), drawing.bright(style))
    draw = ImageDraw.Draw(image, "RGBA")
    _confetti(draw, size, style)
    _figure(draw, size, style)
    _inset(draw, size, content)
    for top in (0.02, 0.84):
        box = (0, round(size[1] * top), size[0], round(size[1] * (top + 0.14)))
        words = drawing.words(content, content.randint(2, 5)).upper()
        drawing.text_in(draw, box, words, (255, 255, 255), stroke_width=2, stroke_fill=(0, 0, 0))
    return image


def logo(style: Random, content: Random) -> Image.Image:
    """One maker's signs: the same shape and first letter, the others and the colour change."""
    side = style.randint(200, 500)
    image = Image.new("RGB", (side, side), "white")
    shape, stem, hue = style.randrange(4), drawing.letters(style, 1), style.random()
    fill = drawing.colour(hue + content.uniform(-0.08, 0.08), 0.8, content.uniform(0.5, 0.9))
    box = (side // 10, side // 6, side - side // 10, side - side // 6)
    drawing.badge(ImageDraw.Draw(image), box, shape, fill, stem + drawing.letters(content, 3))
    return image


def placeholder(style: Random, content: Random) -> Image.Image:
    """What a shop shows where a photo is missing; wording, number and size change."""
    size = (content.randint(240, 420), content.randint(200, 400))
    paper, ink = style.randint(205, 245), style.randint(110, 170)
    image = Image.new("RGB", size, (paper, paper, paper))
    draw = ImageDraw.Draw(image)
    x, y, r = size[0] // 2, size[1] * 2 // 5, min(size) // 5
    draw.rounded_rectangle((x - r * 3 // 2, y - r, x + r * 3 // 2, y + r), r // 4, (ink,) * 3)
    draw.ellipse((x - r // 2, y - r // 2, x + r // 2, y + r // 2), (paper,) * 3)
    saying = content.choice(("No image", "Image not available", "Photo to come", "Not found"))
    text = f"{saying} {content.randint(1, 9999)}"
    box = (0, round(size[1] * 0.7), size[0], round(size[1] * 0.85))
    drawing.text_in(draw, box, text, (ink,) * 3)
    return image


def flat(style: Random, content: Random) -> Image.Image:
    """One colour, a few grey values from the other pictures of its series."""
    base = [style.randint(0, 255) for _ in range(3)]
    near = [min(255, max(0, value + content.randint(-6, 6))) for value in base]
    return Image.new("RGB", _any_size(content), tuple(near))


def gradient(style: Random, content: Random) -> Image.Image:
    """Linear or radial, between nearly the same two colours."""
    radial, turns = style.random() < 0.5, style.randrange(4)
    hues = [style.random(), style.random()]
    ends = [
        drawing.colour(hue + content.uniform(-0.03, 0.03), 0.6, content.uniform(0.3, 1.0))
        for hue in hues
    ]
    ramp = Image.radial_gradient("L") if radial else Image.linear_gradient("L").rotate(90 * turns)
    size = _any_size(content)
    one, other = (Image.new("RGB", size, end) for end in ends)
    return Image.composite(one, other, ramp.resize(size))


def noise(style: Random, content: Random) -> Image.Image:
    """Fields of grain: fine or coarse, grey or coloured; each picture another field."""
    coarse, channels = style.choice((1, 1, 2, 4, 16)), style.choice((1, 3))
    width, height = (max(2, side // coarse) for side in _any_size(style))
    rng = np.random.default_rng(content.getrandbits(64))
    grain = rng.normal(128, 50, (height, width, channels)).clip(0, 255).astype(np.uint8)
    field = Image.fromarray(np.repeat(grain, 3 // channels, axis=2))
    large = field.resize((width * coarse, height * coarse), Image.Resampling.BICUBIC)
    return large.filter(ImageFilter.GaussianBlur(0.6))


def tiny(style: Random, content: Random) -> Image.Image:
    """Icons and tracking pixels of 1–16 pixels, of two colours."""
    side = style.choice((1, 4, 8, 12, 16))
    inks = np.array([drawing.bright(content), drawing.bright(content)], np.uint8)
    half = np.random.default_rng(content.getrandbits(64)).integers(0, 2, (side, (side + 1) // 2))
    bits = np.concatenate([half, half[:, ::-1]], 1)[:, :side]
    return Image.fromarray(inks[bits])


def interface(style: Random, content: Random) -> Image.Image:
    """Screens of one application: other words, other charts."""
    size, layout = style.choice(((screens.PHONE, screens.phone), ((1100, 720), screens.desktop)))
    slot = (round(size[0] * 0.65), round(size[1] * 0.3))
    hue = style.random()

    def tile(wanted: Size) -> Image.Image:
        return drawing.chart(wanted, content, hue)

    screen = layout(size, slot, style, content, tile)
    screen.image.paste(tile(slot), screen.corner)
    return screen.image


def document(style: Random, content: Random) -> Image.Image:
    """Pages of one layout with other words."""
    width, height = 595, 842
    page = Image.new("RGB", (width, height), "white")
    draw, ink = ImageDraw.Draw(page), (20, 20, 24)
    columns, points, edge = style.choice((1, 1, 2)), style.randint(10, 15), style.randint(40, 80)
    drawing.badge(
        draw, (edge, 30, edge + 90, 70), 1, drawing.bright(style), drawing.letters(style, 3)
    )
    drawing.text_in(draw, (edge, 90, width - edge, 130), drawing.words(content, 4), ink)
    wide = (width - 2 * edge - 20 * (columns - 1)) // columns
    for column in range(columns):
        left, y = edge + column * (wide + 20), 150
        while y < height - 100:
            box = (left, y, left + wide, height - 60)
            y = drawing.paragraph(draw, box, content, points, ink, style.randint(3, 8)) + points
    return page


def screen(style: Random, content: Random, photo: Image.Image) -> Image.Image:
    """Screens of one application, with other words and another photo."""
    size, layout = style.choice(((screens.PHONE, screens.phone), ((1100, 720), screens.desktop)))
    room, hue = screens.room(size), style.random()
    aspect, area = style.uniform(0.8, 1.6), style.uniform(0.12, 0.5) * size[0] * size[1]
    slot = (min(room[0], round(sqrt(area * aspect))), min(room[1], round(sqrt(area / aspect))))
    made = layout(size, slot, style, content, lambda wanted: drawing.chart(wanted, content, hue))
    made.image.paste(ImageOps.fit(photo, slot, Image.Resampling.LANCZOS), made.corner)
    return made.image


def frame(style: Random, content: Random, photo: Image.Image) -> Image.Image:
    """A busy frame, as of a greeting card or a campaign, around another photo."""
    size = (style.randint(420, 640), style.randint(400, 560))
    image = drawing.gradient(size, drawing.bright(style), drawing.bright(style))
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(style.randint(3, 8)):
        _confetti(draw, size, style)
    edge, band = round(min(size) * style.uniform(0.05, 0.14)), round(size[1] * 0.14)
    slot = (size[0] - 2 * edge, size[1] - 2 * edge - band)
    image.paste(ImageOps.fit(photo, slot, Image.Resampling.LANCZOS), (edge, edge))
    words = drawing.words(style, style.randint(2, 4)).upper()
    box = (edge, size[1] - edge - band, size[0] - edge, size[1] - edge // 2)
    drawing.text_in(draw, box, words, (255, 255, 255), stroke_width=2, stroke_fill=(0, 0, 0))
    return image


SHOWING: Mapping[str, Group[Shower]] = {
    "screen": Group(screen, 120, 5),
    "frame": Group(frame, 120, 5),
}
"""What shows a photo, another one in each picture of a series."""

GROUPS: Mapping[str, Group[Maker]] = {
    "template": Group(template, 40, 5),
    "logo": Group(logo, 40, 5),
    "placeholder": Group(placeholder, 40, 5),
    "interface": Group(interface, 40, 5),
    "document": Group(document, 40, 5),
    "flat": Group(flat, 20, 2),
    "gradient": Group(gradient, 20, 4),
    "noise": Group(noise, 20, 4),
    "tiny": Group(tiny, 20, 4),
}
"""What is made without photos."""


def _any_size(rng: Random) -> Size:
    return (rng.randint(120, 640), rng.randint(120, 640))


def _confetti(draw: ImageDraw.ImageDraw, size: Size, style: Random) -> None:
    for _ in range(12):
        x, y, r = style.randrange(size[0]), style.randrange(size[1]), style.randint(10, 60)
        fill = (*drawing.bright(style), 120)
        shape = draw.ellipse if style.random() < 0.5 else draw.rectangle
        shape((x - r, y - r, x + r, y + r), fill)


def _figure(draw: ImageDraw.ImageDraw, size: Size, style: Random) -> None:
    """A person of a few strokes with a round face, in the middle."""
    x, y = size[0] * style.uniform(0.35, 0.65), size[1] * 0.42
    head = size[1] * style.uniform(0.12, 0.17)
    coat, limb = drawing.bright(style), round(head / 3)
    body = (x - head * 0.8, y + head * 0.7, x + head * 0.8, y + head * 2.8)
    for side in (-1, 1):
        hand = (x + side * head * style.uniform(1.6, 2.4), y + head * style.uniform(0, 2.5))
        draw.line((x + side * head * 0.5, y + head * 1.1, *hand), coat, limb)
        foot = (x + side * head * 0.7, size[1])
        draw.line((x + side * head * 0.4, y + head * 2.6, *foot), (40, 40, 60), limb)
    draw.rounded_rectangle(body, head / 3, coat)
    drawing.face(draw, (x, y), head, style.randrange(4))


def _inset(draw: ImageDraw.ImageDraw, size: Size, content: Random) -> None:
    """A small sign in one of the corners."""
    wide, high = size[0] // 5, size[1] // 6
    left, top = content.choice((8, size[0] - wide - 8)), content.choice((0.2, 0.62))
    box = (left, round(size[1] * top), left + wide, round(size[1] * top) + high)
    name = drawing.letters(content, 2)
    drawing.badge(draw, box, content.randrange(4), drawing.bright(content), name)
