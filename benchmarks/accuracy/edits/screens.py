"""Screens of made-up applications and web pages, with an empty place for a picture.

``style`` draws what stays (colours, names of buttons), ``content`` what changes (words,
thumbnails): the same style with other content is another page of one interface.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from benchmarks.accuracy.edits import drawing
from benchmarks.accuracy.edits.drawing import Colour
from benchmarks.accuracy.edits.picture import Size

PHONE: Size = (540, 1140)
DESKTOP_HEIGHT = 760
_TOP, _BOTTOM, _MARGIN = 106, 64, 16

Tile = Callable[[Size], Image.Image]
"""Gives a thumbnail of the size asked for."""


@dataclass(frozen=True, slots=True)
class Screen:
    """``corner``: left and top, in pixels, of the place for the picture."""

    image: Image.Image
    corner: tuple[int, int]


Layout = Callable[[Size, Size, Random, Random, Tile], Screen]


@dataclass(frozen=True, slots=True)
class Theme:
    paper: Colour
    bar: Colour
    ink: Colour
    faint: Colour
    accent: Colour


def room(size: Size) -> Size:
    """The largest picture that a screen of ``size`` has a place for."""
    if size == PHONE:
        return (size[0], size[1] - _TOP - _BOTTOM)
    return (size[0] - 2 * _MARGIN, size[1] - _TOP - _MARGIN)


def phone(size: Size, slot: Size, style: Random, content: Random, tile: Tile) -> Screen:
    """A feed: who posted, a sentence, the picture, buttons, answers, more thumbnails."""
    theme = _theme(style)
    image = Image.new("RGB", size, theme.paper)
    draw = ImageDraw.Draw(image)
    _status_bar(draw, size, theme, content)
    y = _poster(draw, theme, style, content)
    free = size[1] - _BOTTOM - y - slot[1]
    y = drawing.paragraph(draw, (_MARGIN, y, size[0], y + min(90, free)), content, 20, theme.ink, 2)
    corner = ((size[0] - slot[0]) // 2, y + min(8, size[1] - _BOTTOM - y - slot[1]))
    y = _buttons(draw, (_MARGIN, corner[1] + slot[1] + 14), theme)
    for _ in range(content.randint(1, 4)):
        y = _answer(draw, (_MARGIN, y, size[0] - _MARGIN, size[1] - _BOTTOM), theme, content)
    _thumbnails(image, (0, y + 6, size[0], size[1] - _BOTTOM), 3, tile)
    _navigation(draw, size, theme, style)
    return Screen(image, corner)


def desktop(size: Size, slot: Size, style: Random, content: Random, tile: Tile) -> Screen:
    """A browser's window: tabs, address, a site's menu, an article, thumbnails at the side."""
    theme = _theme(style)
    image = Image.new("RGB", size, theme.paper)
    draw = ImageDraw.Draw(image)
    _browser(draw, size, theme, style, content)
    low, left = size[1] - slot[1], 3 * _MARGIN if size[0] - slot[0] > 260 else _MARGIN
    if style.random() < 0.5:
        left = size[0] - slot[0] - left
    y = _TOP + 8
    if low - y > 150:
        drawing.text_in(
            draw, (left, y, left + slot[0], y + 40), drawing.words(content, 5), theme.ink
        )
        y = drawing.paragraph(
            draw, (left, y + 48, left + slot[0], low), content, 14, theme.faint, 1
        )
    corner = (left, min(y + 6, low - 4))
    under = (left, corner[1] + slot[1] + 12, left + slot[0], size[1] - _MARGIN)
    drawing.paragraph(draw, under, content, 16, theme.ink)
    for side in ((_MARGIN, left - _MARGIN), (left + slot[0] + _MARGIN, size[0] - _MARGIN)):
        if side[1] - side[0] > 90:
            _sidebar(image, (side[0], _TOP + 16, side[1], size[1] - _MARGIN), theme, content, tile)
    return Screen(image, corner)


def _theme(style: Random) -> Theme:
    accent = drawing.bright(style)
    if style.random() < 0.4:
        return Theme((24, 26, 30), (40, 42, 48), (232, 232, 236), (140, 144, 152), accent)
    return Theme((255, 255, 255), (240, 242, 245), (24, 26, 30), (120, 124, 130), accent)


def _status_bar(draw: ImageDraw.ImageDraw, size: Size, theme: Theme, content: Random) -> None:
    time = f"{content.randint(6, 22)}:{content.randint(0, 59):02}"
    draw.rectangle((0, 0, size[0], 36), theme.bar)
    draw.text((_MARGIN, 18), time, theme.ink, drawing.font(18), anchor="lm")
    for step in range(4):
        left = size[0] - 110 + 9 * step
        draw.rectangle((left, 25 - 4 * step, left + 5, 27), theme.ink)
    draw.rounded_rectangle((size[0] - 56, 10, size[0] - 20, 27), 4, None, theme.ink, 2)
    draw.rectangle((size[0] - 53, 13, size[0] - 53 + content.randint(6, 30), 24), theme.ink)


def _poster(draw: ImageDraw.ImageDraw, theme: Theme, style: Random, content: Random) -> int:
    draw.ellipse((_MARGIN, 46, _MARGIN + 52, 98), theme.accent)
    draw.text((_MARGIN + 26, 72), drawing.letters(content, 1), "white", drawing.font(28), "mm")
    draw.text((84, 48), drawing.words(content, 2), theme.ink, drawing.font(22))
    draw.text((84, 76), f"{content.randint(2, 59)} min", theme.faint, drawing.font(16))
    return _TOP


def _buttons(draw: ImageDraw.ImageDraw, corner: tuple[int, int], theme: Theme) -> int:
    x, y = corner
    draw.polygon([(x, y + 8), (x + 13, y + 26), (x + 26, y + 8), (x + 13, y + 14)], theme.accent)
    draw.ellipse((x + 46, y, x + 72, y + 24), None, theme.ink, 3)
    draw.polygon([(x + 94, y), (x + 122, y + 12), (x + 94, y + 24)], None, theme.ink, 3)
    return y + 38


def _answer(draw: ImageDraw.ImageDraw, box: drawing.Pixels, theme: Theme, content: Random) -> int:
    left, top, right, bottom = box
    if bottom - top < 60:
        return top
    draw.ellipse((left, top, left + 36, top + 36), drawing.bright(content))
    beside = (left + 48, top, right, bottom)
    return drawing.paragraph(draw, beside, content, 18, theme.ink, content.randint(1, 3)) + 14


def _thumbnails(image: Image.Image, box: drawing.Pixels, columns: int, tile: Tile) -> None:
    side = (box[2] - box[0] - 4 * (columns - 1)) // columns
    for y in range(box[1], box[3] - side + 1, side + 4):
        for column in range(columns):
            image.paste(tile((side, side)), (box[0] + column * (side + 4), y))


def _navigation(draw: ImageDraw.ImageDraw, size: Size, theme: Theme, style: Random) -> None:
    top = size[1] - _BOTTOM
    draw.rectangle((0, top, *size), theme.bar)
    for button in range(5):
        x, y = size[0] * (button + 0.5) / 5, top + _BOTTOM / 2
        fill = theme.accent if button == 0 else theme.faint
        shape = draw.ellipse if style.random() < 0.5 else draw.rectangle
        shape((x - 13, y - 13, x + 13, y + 13), None if button else fill, fill, 3)


def _browser(
    draw: ImageDraw.ImageDraw, size: Size, theme: Theme, style: Random, content: Random
) -> None:
    draw.rectangle((0, 0, size[0], 70), theme.bar)
    for button, light in enumerate(((240, 90, 80), (245, 190, 60), (90, 200, 90))):
        draw.ellipse((14 + 22 * button, 10, 28 + 22 * button, 24), light)
    draw.rounded_rectangle((90, 6, 300, 40), 8, theme.paper)
    draw.text((104, 18), drawing.words(content, 3), theme.ink, drawing.font(14), "lm")
    draw.rounded_rectangle((90, 38, size[0] - 20, 64), 12, theme.paper)
    site = "".join(drawing.words(style, 2).lower().split())
    page = "-".join(drawing.words(content, 3).lower().split())
    draw.text((104, 51), f"{site}.example/{page}", theme.faint, drawing.font(14), "lm")
    draw.rectangle((0, 70, size[0], _TOP), theme.accent)
    menu = "   ".join(drawing.words(style, 1) for _ in range(6))
    draw.text((_MARGIN, (70 + _TOP) / 2), menu, (255, 255, 255), drawing.font(17), "lm")


def _sidebar(
    image: Image.Image, box: drawing.Pixels, theme: Theme, content: Random, tile: Tile
) -> None:
    """Thumbnails, each with a line or two below."""
    left, top, right, bottom = box
    wide = min(right - left, 220)
    high = round(wide * 0.6)
    draw = ImageDraw.Draw(image)
    for y in range(top, bottom - high, high + 60):
        image.paste(tile((wide, high)), (left, y))
        below = (left, y + high + 6, left + wide, min(bottom, y + high + 60))
        drawing.paragraph(draw, below, content, 14, theme.faint, 2)
