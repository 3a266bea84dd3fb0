"""One picture of a pair: both previews with what they share, and its two parts laid on each other.

Colours are those of Okabe and Ito, which colour-blind people tell apart; whatever is drawn over
a picture has a dark rim, to be seen on light and on dark.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from ris_jobs.match.geometry import Points, squares
from ris_jobs.match.pixels import KEPT
from ris_jobs.report.changed import changed_places
from ris_jobs.report.explanation import Explanation, headline, reasons
from ris_jobs.report.lettering import fitted, font
from ris_jobs.report.overlay import Overlay
from ris_jobs.report.text import folder, name
from ris_jobs.report.views import ImageView

__all__ = ["WIDTH", "draw", "spread"]

Rgb = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

WIDTH = 1200
"""Of the picture, pixels."""

_PAPER, _INK, _MUTED, _BLANK = "#ffffff", "#1c2024", "#60666d", "#eceef0"
_GAP, _LINE, _HEAD = 20, 22, 34
# The most room for a preview and for a part, (width, height) pixels.
_PREVIEW = ((WIDTH - 3 * _GAP) // 2, 440)
_PART = ((WIDTH - 4 * _GAP) // 3, 320)
_LINES = 40
_SIDE = 512
# Differences of so many grey values (0–255) or more are brightest.
_BRIGHTEST = 64
_SHARED = (240, 228, 66)
_PAIRS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167))
_CELLS = (86, 180, 233)
_RIM = (0, 0, 0)
_OUTSIDE = 236
# OpenCV draws at places given in 16ths of a pixel.
_FINE = 4


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a picture stands on its strip, pixels."""

    x: int
    y: int
    width: int
    height: int

    def at(self, places: Points) -> Points:
        """Fractions of the picture (n, 2) as pixels of the strip."""
        size = np.array([self.width, self.height], np.float32)
        return np.asarray(places * size + np.array([self.x, self.y], np.float32), np.float32)


def draw(said: Explanation, first: Rgb | None, second: Rgb | None, laid: Overlay | None) -> bytes:
    """PNG bytes, :data:`WIDTH` pixels wide. ``first`` and ``second`` are the previews of the two
    images as they were asked for, uint8 (h, w, 3), None where one is gone or damaged."""
    strips = [_title(said), _previews(said, (first, second), laid)]
    if laid is not None and first is not None and second is not None:
        changed = changed_places(said, laid, KEPT)
        outlined = changed is not None and changed.any()
        titles = (*_TITLES[said.outcome][:2], _OUTLINED) if outlined else _TITLES[said.outcome]
        strips.append(_comparison(titles, _parts(first, second, laid, changed)))
    out = io.BytesIO()
    Image.fromarray(np.concatenate(strips)).save(out, "PNG")
    return out.getvalue()


def spread(places: Points, count: int) -> list[int]:
    """Up to ``count`` of ``places`` (n, 2) that lie far from each other, by their index."""
    if not len(places):
        return []
    chosen = [0]
    distance = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return chosen


def _side_by_side(pictures: Sequence[Rgb | None], y: int) -> list[_Frame]:
    frames, (width, height) = [], _PREVIEW
    for column, picture in enumerate(pictures):
        size = _PREVIEW if picture is None else _within(picture.shape[1::-1], _PREVIEW)
        x = _GAP + column * (width + _GAP) + (width - size[0]) // 2
        frames.append((x, size))
    tallest = min(height, max(size[1] for _, size in frames))
    return [_Frame(x, y + (tallest - size[1]) // 2, *size) for x, size in frames]


def _within(size: Sequence[float], room: tuple[int, int]) -> tuple[int, int]:
    """``size`` (width, height) scaled to fit into ``room``."""
    scale = min(room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _strip(height: int) -> Image.Image:
    """An empty part of the sheet, all its width."""
    return Image.new("RGB", (WIDTH, height), _PAPER)


def _title(said: Explanation) -> Rgb:
    """The outcome and its reasons."""
    lines = reasons(said)
    strip = _strip(_GAP + _HEAD + _LINE * len(lines) + _GAP // 2)
    _text(strip, (_GAP, _GAP - 6), headline(said), 26, _INK)
    for row, line in enumerate(lines):
        _text(strip, (_GAP, _GAP + _HEAD + row * _LINE), line, 16, _INK)
    return np.asarray(strip)


def _previews(said: Explanation, pictures: Sequence[Rgb | None], laid: Overlay | None) -> Rgb:
    """Both previews with their names, what is marked on them, and what the marks mean."""
    frames = _side_by_side(pictures, 2 * _LINE)
    below = max(frame.y + frame.height for frame in frames) + _GAP // 2
    strip = _strip(below + _LINE + _GAP)
    for column, image in enumerate(said.images):
        _names(strip, column, image)
        _preview(strip, frames[column], pictures[column])
    if laid is not None:
        strip = _marked(strip, frames, laid, outlined=said.outcome != "no match")
    _text(strip, (_GAP, below), _note(said, pictures, laid), 15, _MUTED)
    return np.asarray(strip)


def _names(strip: Image.Image, column: int, image: ImageView) -> None:
    left = _GAP + column * (_PREVIEW[0] + _GAP)
    where = folder(image.uri)
    about = f"{image.width} x {image.height} pixels" + (f" · {where}" if where else "")
    _text(strip, (left, 0), f"{'AB'[column]} · {name(image.uri)}", 16, _INK, _PREVIEW[0])
    _text(strip, (left, _LINE - 3), about, 14, _MUTED, _PREVIEW[0])


def _preview(strip: Image.Image, frame: _Frame, picture: Rgb | None) -> None:
    box = (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height)
    if picture is not None:
        strip.paste(Image.fromarray(_resized(picture, frame.width, frame.height)), box)
        return
    draw = ImageDraw.Draw(strip)
    draw.rectangle(box, fill=_BLANK)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    draw.text(middle, "the preview is gone or damaged", _MUTED, font(16), anchor="mm")


def _marked(
    strip: Image.Image, frames: Sequence[_Frame], laid: Overlay, *, outlined: bool
) -> Image.Image:
    """With the outlines of what is shared, and lines between keypoints that agree."""
    canvas = np.array(strip)
    polygons = (laid.shared.first, laid.shared.second) if outlined else ()
    for frame, polygon in zip(frames, polygons, strict=False):
        _outline(canvas, frame.at(polygon))
    first, second = laid.registration.first, laid.registration.second
    chosen = sorted(spread(first, _LINES), key=lambda i: float(first[i, 1]))
    lines = np.stack([frames[0].at(first[chosen]), frames[1].at(second[chosen])], axis=1)
    rims = canvas.copy()
    for ends in lines:
        cv2.line(rims, *_ends(ends), _RIM, 3, cv2.LINE_AA, _FINE)
    canvas = np.asarray(cv2.addWeighted(canvas, 0.6, rims, 0.4, 0), np.uint8)
    for number, ends in enumerate(lines):
        _line(canvas, ends, _PAIRS[number % len(_PAIRS)])
    return Image.fromarray(canvas)


def _outline(canvas: Rgb, corners: Points) -> None:
    places = [_fine(corners)]
    cv2.polylines(canvas, places, True, _RIM, 5, cv2.LINE_AA, _FINE)
    cv2.polylines(canvas, places, True, _SHARED, 2, cv2.LINE_AA, _FINE)


def _line(canvas: Rgb, ends: Points, colour: tuple[int, int, int]) -> None:
    one, two = _ends(ends)
    for end in (one, two):
        cv2.circle(canvas, end, 4 << _FINE, _RIM, -1, cv2.LINE_AA, _FINE)
        cv2.circle(canvas, end, 3 << _FINE, colour, -1, cv2.LINE_AA, _FINE)
    cv2.line(canvas, one, two, colour, 1, cv2.LINE_AA, _FINE)


def _ends(line: Points) -> tuple[tuple[int, ...], tuple[int, ...]]:
    one, two = _fine(line).tolist()
    return tuple(one), tuple(two)


def _fine(places: Points) -> npt.NDArray[np.int32]:
    # Far beyond the sheet nothing is seen, and OpenCV's numbers end.
    kept = np.clip(places - 0.5, -4 * WIDTH, 4 * WIDTH)
    return np.asarray(np.round(kept * (1 << _FINE)), np.int32)


def _note(said: Explanation, pictures: Sequence[Rgb | None], laid: Overlay | None) -> str:
    """What the marks on the previews mean."""
    if any(picture is None for picture in pictures):
        return "A preview is gone or damaged, so that nothing can be laid on each other."
    if laid is None:
        return "Nothing lays the pictures on each other."
    outlined = "" if said.outcome == "no match" else "Yellow outline: what both show. "
    found = laid.registration
    if not found.inliers:
        return f"{outlined}No lines: no keypoints to speak of agree, or none were looked for."
    shown = min(_LINES, found.inliers)
    why = "" if laid.decided else " (only for this picture: nothing was decided by them)"
    return (
        f"{outlined}Lines: {shown} of the {found.inliers} keypoints that agree, of {found.matched} "
        f"matched{why}."
    )


def _parts(first: Rgb, second: Rgb, laid: Overlay, changed: Mask | None) -> list[Rgb]:
    """What both show, of the first and of the second, and how the two differ, of one size, with
    what is ``changed`` (KEPT, KEPT) outlined."""
    size = _within(_size_of_shared(first, second, laid), _PART)
    one, two, both = squares(first, second, laid.registration, laid.shared, _SIDE)
    # At the size at which pictures are compared: finer, edges differ by what resampling does.
    small, other, shown = squares(first, second, laid.registration, laid.shared, KEPT)
    heat = _heat(np.abs(small.astype(np.int16) - other).max(axis=2))
    for plane, kept in ((one, both), (two, both), (heat, shown)):
        plane[~kept] = _OUTSIDE
    one, two, heat = (_resized(plane, *size) for plane in (one, two, heat))
    if changed is not None:
        _outline_cells(heat, changed & shown)
    return [one, two, heat]


def _outline_cells(panel: Rgb, cells: Mask) -> None:
    """Edges of what is set in ``cells`` (h, w), of any size."""
    height, width = panel.shape[:2]
    there = cv2.resize(cells.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    edges, _ = cv2.findContours(there, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(panel, edges, -1, _RIM, 4)
    cv2.drawContours(panel, edges, -1, _CELLS, 2)


def _size_of_shared(first: Rgb, second: Rgb, laid: Overlay) -> tuple[float, float]:
    """(width, height) of the bounds by which :func:`squares` frames."""
    inner_first = laid.shared.coverage[0] >= laid.shared.coverage[1]
    polygon, picture = (laid.shared.first, first) if inner_first else (laid.shared.second, second)
    width, height = np.ptp(polygon, axis=0) * picture.shape[1::-1]
    return max(1.0, float(width)), max(1.0, float(height))


def _heat(difference: npt.NDArray[np.int16]) -> Rgb:
    """Grey values (h, w) from black over red to yellow, uint8 (h, w, 3)."""
    amplified = np.clip(difference.astype(np.float32) * 255 / _BRIGHTEST, 0, 255).astype(np.uint8)
    coloured = cv2.applyColorMap(amplified, cv2.COLORMAP_INFERNO)
    return np.ascontiguousarray(coloured[..., ::-1], np.uint8)


def _resized(picture: Rgb, width: int, height: int) -> Rgb:
    shrinks = width <= picture.shape[1] and height <= picture.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


_OUTLINED = "Difference; outlined: cells that changed"
_TITLES = {
    "match": ("What both show: in A", "the same in B, laid on it", "Difference"),
    "identical": ("A", "B", "Difference: none"),
    "no match": ("A", "B, laid on it all the same", "Difference"),
}


def _comparison(titles: Sequence[str], parts: Sequence[Rgb]) -> Rgb:
    """A's part, B's, and the difference with its legend."""
    strip = _strip(_LINE + len(parts[0]) + 30 + _GAP // 2)
    for column, (title, part) in enumerate(zip(titles, parts, strict=True)):
        x = _GAP + column * (_PART[0] + _GAP)
        _text(strip, (x, 0), title, 16, _INK, _PART[0])
        strip.paste(Image.fromarray(part), (x, _LINE))
    _legend(strip, (_GAP + 2 * (_PART[0] + _GAP), _LINE + len(parts[2]) + 8))
    return np.asarray(strip)


def _legend(strip: Image.Image, at: tuple[int, int]) -> None:
    ramp = _heat(np.tile(np.arange(_BRIGHTEST + 1, dtype=np.int16), (14, 1)))
    strip.paste(Image.fromarray(_resized(ramp, 130, 14)), (at[0] + 14, at[1] + 2))
    _text(strip, at, "0", 14, _MUTED)
    _text(strip, (at[0] + 150, at[1]), f"{_BRIGHTEST} of 255 grey values or more", 14, _MUTED)


def _text(
    strip: Image.Image, at: tuple[int, int], text: str, size: int, ink: str, width: int = 0
) -> None:
    draw = ImageDraw.Draw(strip)
    room = width or WIDTH - at[0] - _GAP
    draw.text(at, fitted(draw, text, size, room), ink, font(size))
