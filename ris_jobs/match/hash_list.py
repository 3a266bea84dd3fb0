"""Lists of PDQ hashes as people hold them: CSV, JSON, JSON lines. Bytes in, values out.

What is understood, upper or lower case:

- CSV with ``,``, ``;`` or tabs, with a header (the threatexchange command's
  ``signal_type,signal_str,tags``, or ``FilePath,Hash``) or without (HMA's ``hash,id,time,tags``,
  pdq-photo-hasher's ``hash,quality,file``): then the hash is the one cell of 64 hex digits, and
  all other cells are its label. Cells in quotes may hold line breaks.
- JSON: a list, or an object with a list under ``data``; or one such value a line. An element is a
  hash or an object: ThreatExchange's ``{"indicator": …, "type": "HASH_PDQ", "tags": …}``, HMA's
  ``{"signal_type": "pdq", "signal_value": …}`` or ``{"signals": {"pdq": …}}``.

Text is UTF-8, or UTF-16 where a byte order mark says so. Lines that begin with ``#`` are comments.
Nothing in a list is run or looked up; labels are text and no more.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, tee
from typing import Any

from ris_jobs.match.banks import MIN_QUALITY

__all__ = ["HashList", "Problem", "parse"]

SHOWN = 5
"""How many problems a list keeps."""

_HEX = re.compile(r"\s*[0-9a-fA-F]{64}\s*")
# Labels may begin with the sign as well: a line with a hash in a later cell is an entry.
_COMMENT = re.compile(r'\s*#(?!.*[,;\t] *"?[0-9a-fA-F]{64}\b)')
_LABEL_MAX = 500
# Characters. Read at once, empty objects take 24 times their own size.
_DOCUMENT_MAX = 16 << 20
# Further lines that a record's cells in quotes take up at most.
_FURTHER = 100

# Names as _name() writes them; of several hashes in a row the first in this order counts.
_HASHES = (
    *("pdq", "pdqhash", "hash", "hashvalue", "signal", "signalstr", "signalvalue"),
    *("rawindicator", "indicator", "value"),
)
_QUALITIES = ("pdqquality", "pdqhashquality", "hashquality", "quality")
_TYPES = ("signaltype", "hashtype", "indicatortype", "type")
_LABELS = {
    *("label", "name", "title", "note", "notes", "description", "tag", "tags", "id"),
    *("file", "filename", "filepath", "path"),
}
_PDQ = {"pdq", "hashpdq", "imagepdq"}
# Python takes 1 and 0 for True and False.
_YES = (True, "true", "t", "yes", "y", "1")
_NO = (None, False, "false", "f", "no", "n", "0", "", "null")
_MARK = "shoulddelete"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that cannot be used: where (``line 7``), and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class HashList:
    """``hashes``: 32 bytes → label; the first of equal hashes counts. ``withdrawn`` are those that
    who shared them takes back, wherever in the file, ``poor`` those whose quality is below
    :data:`MIN_QUALITY` wherever it lists them. ``others`` are entries of other signal types or of
    withdrawn hashes, ``bad`` those that cannot be used; ``problems`` are the first of these."""

    hashes: Mapping[bytes, str | None]
    withdrawn: frozenset[bytes]
    poor: frozenset[bytes]
    others: int
    bad: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    pdq: bytes
    label: str | None
    withdrawn: bool
    poor: bool


def parse(data: bytes) -> HashList:
    """All that is in a file. ValueError where several cells of a row may be its hash, and no header
    says which."""
    hashes: dict[bytes, str | None] = {}
    withdrawn, poor = set[bytes](), set[bytes]()
    problems: list[Problem] = []
    others = bad = 0
    for place, item in _items(data):
        try:
            entry = _entry(item)
        except ValueError as e:
            bad += 1
            problems += [Problem(place, str(e))] if bad <= SHOWN else []
            continue
        if entry is None:
            others += 1
        elif entry.withdrawn:
            others += 1
            withdrawn.add(entry.pdq)
        elif entry.poor:
            poor.add(entry.pdq)
        else:
            hashes.setdefault(entry.pdq, entry.label)
    left = {pdq: label for pdq, label in hashes.items() if pdq not in withdrawn}
    poor -= left.keys() | withdrawn
    return HashList(left, frozenset(withdrawn), frozenset(poor), others, bad, tuple(problems))


def _items(data: bytes) -> Iterator[tuple[str, Any]]:
    """Each entry with its place; an exception where it cannot be read."""
    _, first = next(_lines(data), ("", ""))
    return _from_json(data) if first.lstrip().startswith(("[", "{")) else _from_csv(data)


def _lines(data: bytes) -> Iterator[tuple[str, str]]:
    """Those that say something, with their places."""
    for number, line in enumerate(_text(data), 1):
        if _says(line):
            yield f"line {number}", line


def _text(data: bytes) -> Iterable[str]:
    """Line by line."""
    return io.TextIOWrapper(io.BytesIO(data), _encoding(data), "replace")


def _encoding(data: bytes) -> str:
    """By the byte order mark, as Excel and PowerShell write one."""
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if utf16 else "utf-8-sig"


def _says(line: str) -> bool:
    return bool(line.strip()) and not _COMMENT.match(line)


def _entry(item: Any) -> _Entry | None:
    """None for what is no PDQ hash on purpose. ValueError says what is wrong."""
    if isinstance(item, Exception):
        raise item
    row = {"hash": item} if isinstance(item, str) else _row(item)
    kind = next((str(row[name]) for name in _TYPES if row.get(name)), "pdq")
    if _name(kind) not in _PDQ:
        return None
    withdrawn = any(_withdrawn(mark) for mark in row.get(_MARK, ()))
    found = next((row[name] for name in _HASHES if isinstance(row.get(name), str)), None)
    if found is not None and _HEX.fullmatch(found):
        poor = not withdrawn and _poor(row)
        return _Entry(bytes.fromhex(found.strip()), _label(row), withdrawn, poor)
    if withdrawn:
        return None
    if found is None:
        raise ValueError("it names no hash")
    raise ValueError(f"{found.strip()[:40]!r} is not a PDQ hash of 64 hex digits")


def _withdrawn(mark: Any) -> bool:
    """Whether an entry is to be deleted, by what its list says of that. ValueError where that is
    neither yes nor no."""
    said = mark.strip().lower() if isinstance(mark, str) else mark
    if said not in (*_YES, *_NO):
        raise ValueError("its should_delete is neither true nor false")
    return said in _YES


def _poor(row: Row) -> bool:
    """Whether the row says that its hash is too poor to be compared. ValueError where what it says
    is no quality."""
    said = next((row[name] for name in _QUALITIES if name in row), None)
    if said is None or (isinstance(said, str) and not said.strip()):
        return False
    try:
        quality = float(said)
    except (TypeError, ValueError, OverflowError):
        quality = -1
    if not 0 <= quality <= 100:
        raise ValueError("its quality is no number from 0 to 100")
    return quality < MIN_QUALITY


def _row(item: Any) -> Row:
    """An object with plain names; what stands under ``indicator`` or ``signals`` comes up, and
    :data:`_MARK` is a list of what each says."""
    if not isinstance(item, Mapping):
        raise ValueError("it is neither a hash nor an object")
    row = _plain(item)
    marks = [row.pop(_MARK, None)]
    for name in ("indicator", "signals"):
        if isinstance(row.get(name), Mapping):
            inner = _plain(row.pop(name))
            marks.append(inner.pop(_MARK, None))
            row = inner | row
    return row | {_MARK: marks}


def _plain(item: Mapping[Any, Any]) -> dict[str, Any]:
    return {_name(key): value for key, value in item.items()}


def _name(text: str) -> str:
    """``Signal_Type``, ``signalType`` → ``signaltype``."""
    return "".join(c for c in text.lower() if c.isalnum())


def _label(row: Row) -> str | None:
    """What the row says of its hash, in its order, in plain words that can be stored anywhere."""
    said = " ".join(w for name, value in row.items() if name in _LABELS for w in _words(value))
    stored = said.replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(stored.split())[:_LABEL_MAX] or None


def _words(value: Any, depth: int = 4) -> Iterator[str]:
    """The texts and numbers of a value; tags come as a list, or as ``{"data": [{"text": …}]}``."""
    if isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, Mapping) and depth:
        for key in ("data", "text", "name"):
            yield from _words(value.get(key), depth - 1)
    elif isinstance(value, Sequence) and depth:
        for one in value:
            yield from _words(one, depth - 1)


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


def _from_csv(data: bytes) -> Iterator[tuple[str, Any]]:
    header: list[str] | None = None
    for number, (place, cells) in enumerate(_records(data)):
        if isinstance(cells, ValueError):
            yield place, cells
        elif not number and _is_header(cells):
            header = [_name(cell) for cell in cells]
        elif any(cell.strip() for cell in cells):
            yield place, _csv_row(place, header, cells)


def _records(data: bytes) -> Iterator[tuple[str, list[str] | ValueError]]:
    """The cells of each, with the place of its first line."""
    delimiter = ""
    (lines,) = tee(enumerate(_text(data), 1), 1)
    for number, line in lines:
        if not _says(line):
            continue
        delimiter = delimiter or max(",;\t", key=partial(_splits, line))
        cells: list[str] | ValueError
        try:
            cells, further = _record(line, (text for _, text in copy(lines)), delimiter)
        except csv.Error as e:
            cells, further = ValueError(f"it is not CSV: {e}"), 0
        next(islice(lines, further, further), None)
        yield f"line {number}", cells


def _record(line: str, ahead: Iterable[str], delimiter: str) -> tuple[list[str], int]:
    """The cells of the record that begins with a line, and how many further lines it takes up. A
    quote that is not closed soon, or only behind another hash, costs its own line only."""
    reader = csv.reader(chain([line], islice(ahead, _FURTHER)), delimiter=delimiter, strict=True)
    with suppress(csv.Error):
        cells = next(reader)
        if not any("\n" in cell.strip() and _HEX.search(cell) for cell in cells):
            return cells, reader.line_num - 1
    return _cells(line, delimiter), 0


def _splits(line: str, delimiter: str) -> tuple[bool, int]:
    """How well a delimiter suits a line: whether a cell is a hash then, and how many there are."""
    try:
        cells = _cells(line, delimiter)
    except csv.Error:
        return False, 0
    return any(map(_HEX.fullmatch, cells)), len(cells)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter))


def _is_header(cells: Sequence[str]) -> bool:
    names = {_name(cell) for cell in cells}
    return not any(map(_HEX.fullmatch, cells)) and not names.isdisjoint(
        {*_HASHES, *_TYPES, *_LABELS}
    )


def _csv_row(place: str, header: Sequence[str] | None, cells: Sequence[str]) -> Row:
    """Without a header all cells but the hash are the label."""
    row: dict[str, Any] = dict(zip(header or (), cells, strict=False))
    if not set(_HASHES).isdisjoint(header or ()):
        return row
    found = [i for i, cell in enumerate(cells) if _HEX.fullmatch(cell)]
    if len({cells[i].strip().lower() for i in found}) > 1:
        raise ValueError(
            f"{place} has several cells of 64 hex digits; add a header that names the column of "
            "PDQ hashes pdq, as sha256,pdq"
        )
    at = found[0] if found else 0
    if header is None:
        row = {"label": [*cells[:at], *cells[at + 1 :]]}
    return row | {"hash": cells[at]}


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────


def _from_json(data: bytes) -> Iterator[tuple[str, Any]]:
    """One document, or else one a line."""
    document = _loaded(data.decode(_encoding(data), "replace"))
    if not isinstance(document, ValueError):
        for number, element in enumerate(_elements(document), 1):
            yield f"entry {number}", element
        return
    for place, line in _lines(data):
        yield from ((place, element) for element in _elements(_loaded(line)))


def _loaded(text: str) -> Any:
    """The value of a document, or the ValueError that says why there is none."""
    if len(text) > _DOCUMENT_MAX:
        limit = f"{_DOCUMENT_MAX >> 20} MiB"
        return ValueError(f"it is JSON of more than {limit} in one piece; write one entry a line")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ValueError("it is not JSON")


def _elements(document: Any) -> Iterable[Any]:
    """Those of a list, bare or under ``data``; what is neither is the one element."""
    inner = document.get("data", document) if isinstance(document, Mapping) else document
    return inner if isinstance(inner, list) else [document]
