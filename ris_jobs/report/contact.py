"""One picture of a search: the query, then its hits, ranked and labelled."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageOps

from ris_jobs.report.lettering import fitted, font
from ris_jobs.report.pictures import opened
from ris_jobs.report.text import chance, name
from ris_jobs.report.views import Hit

_PAPER, _INK, _MUTED, _MARK, _BLANK = "#ffffff", "#1c2024", "#60666d", "#1f6feb", "#eceef0"
_GAP, _LINE = 14, 19

Lines = tuple[str, str]
Cell = tuple[bytes | None, Lines]


def contact_sheet(query: bytes, hits: Sequence[Hit], columns: int = 5, side: int = 200) -> bytes:
    """PNG bytes: ``query`` (JPEG bytes) first, then the hits in rows of ``columns``.

    Each cell holds a picture of at most ``side`` × ``side`` pixels over two lines: rank with
    relation and probability (or cosine), then the name.
    """
    cells: list[Cell] = [(query, ("query", _found(hits)))]
    cells += [(hit.picture, _label(rank, hit)) for rank, hit in enumerate(hits, 1)]
    sheet = Image.new("RGB", _size(len(cells), columns, side), _PAPER)
    for index, cell in enumerate(cells):
        row, column = divmod(index, columns)
        at = (_GAP + column * (side + _GAP), _GAP + row * _pitch(side))
        _draw(sheet, at, side, cell, mark=index == 0)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _size(cells: int, columns: int, side: int) -> tuple[int, int]:
    rows = -(-cells // columns)
    return _GAP + min(cells, columns) * (side + _GAP), _GAP + rows * _pitch(side)


def _pitch(side: int) -> int:
    return side + 2 * _LINE + _GAP + 6


def _found(hits: Sequence[Hit]) -> str:
    return f"{len(hits)} found" if hits else "nothing found"


def _label(rank: int, hit: Hit) -> Lines:
    sure = "" if hit.probability is None else f" {chance(hit.probability, hit.relation)}"
    how = f"{hit.relation}{sure}" if hit.relation else f"cosine {hit.cosine:.3f}"
    return f"{rank} · {how}", name(hit.uri)


def _draw(sheet: Image.Image, at: tuple[int, int], side: int, cell: Cell, *, mark: bool) -> None:
    (x, y), (picture, lines) = at, cell
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((x, y, x + side - 1, y + side - 1), fill=_BLANK)
    if picture is None:
        draw.text((x + side / 2, y + side / 2), "no preview", _MUTED, font(13), anchor="mm")
    else:
        small = ImageOps.contain(opened(picture), (side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (x + (side - small.width) // 2, y + (side - small.height) // 2))
    if mark:
        draw.rectangle((x - 3, y - 3, x + side + 2, y + side + 2), outline=_MARK, width=3)
    for number, (line, ink, size) in enumerate(zip(lines, (_INK, _MUTED), (15, 13), strict=True)):
        where = (x, y + side + 6 + number * _LINE)
        draw.text(where, fitted(draw, line, size, side), ink, font(size))
