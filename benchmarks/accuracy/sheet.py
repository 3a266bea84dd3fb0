"""A contact sheet: the files of a suite as one picture, to look at.

python -m benchmarks.accuracy.sheet SUITE SHEET.png [--photo NAME | --negatives]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from benchmarks.accuracy.edits import VARIANTS
from benchmarks.accuracy.suite import Row, Suite, load

COLUMNS, CELL, LABEL = 10, 180, 18

_RANK = {variant.name: rank for rank, variant in enumerate(VARIANTS)}


def sheet(suite: Suite, rows: Sequence[Row], path: Path) -> None:
    """The files of these rows, ten in a line, each with its edit or group below, as a PNG."""
    lines = ceil(len(rows) / COLUMNS)
    page = Image.new("RGB", (COLUMNS * CELL, lines * (CELL + LABEL)), (200, 205, 210))
    draw = ImageDraw.Draw(page)
    for number, row in enumerate(rows):
        x, y = number % COLUMNS * CELL, number // COLUMNS * (CELL + LABEL)
        page.paste(_thumbnail(suite.folder / row.file), (x, y))
        draw.text((x + CELL / 2, y + CELL), row.edit or row.group or row.kind, "black", anchor="ma")
    page.save(path)


def of_photo(suite: Suite, photo: str | None = None) -> list[Row]:
    """A photo and its copies, in the order of the tables; the first source's by default."""
    name = photo or next(row.photo for row in suite.rows if row.kind == "source")
    rows = [row for row in suite.rows if row.photo == name]
    return sorted(rows, key=lambda row: _RANK.get(row.edit or "", -1))


def of_negatives(suite: Suite) -> list[Row]:
    """All hard negatives, by group and series."""
    rows = [row for row in suite.rows if row.kind == "negative"]
    return sorted(rows, key=lambda row: (row.group, row.parameters.get("series", row.photo)))


def _thumbnail(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return ImageOps.pad(image.convert("RGB"), (CELL, CELL), color=(200, 205, 210))


def main(argv: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser("benchmarks.accuracy.sheet", description="A contact sheet.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("sheet", type=Path)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--photo", help="its copies; those of the first source by default")
    which.add_argument("--negatives", action="store_true", help="the hard negatives")
    args = parser.parse_args(argv)
    suite = load(args.suite)
    rows = of_negatives(suite) if args.negatives else of_photo(suite, args.photo)
    sheet(suite, rows, args.sheet)


if __name__ == "__main__":
    main()
