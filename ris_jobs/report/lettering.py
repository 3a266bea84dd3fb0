"""Text in pictures, in Pillow's own font."""

from __future__ import annotations

from PIL import ImageDraw, ImageFont

from ris_jobs.report.text import shortened

__all__ = ["fitted", "font"]

# What the font can draw beside ASCII; the space that keeps a sign at its number is one of it.
_DRAWN = {"\N{NO-BREAK SPACE}": " ", "\N{MULTIPLICATION SIGN}": "x", "\N{EN DASH}": "-"}
_KNOWN = "·…°"
_MOST = 500


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, ``size`` pixels."""
    return ImageFont.load_default(size=size)


def fitted(draw: ImageDraw.ImageDraw, text: str, size: int, width: int) -> str:
    """``text`` as the font can draw it, cut in the middle until at most ``width`` pixels wide."""
    text = "".join(map(_drawable, text))
    keep, shown = len(text), text[:_MOST]
    while draw.textlength(shown, font(size)) > width and keep > 3:
        keep = min(keep, len(shown)) - 1
        shown = shortened(text, keep)
    return shown


def _drawable(char: str) -> str:
    if char in _KNOWN or char.isascii():
        return char
    return _DRAWN.get(char) or char.encode("unicode_escape").decode("ascii")
