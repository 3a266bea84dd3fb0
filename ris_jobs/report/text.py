"""Names and figures as people read them. Every name comes from outside and may be hostile."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from urllib.parse import SplitResult, unquote, urlsplit

ORIENTATIONS = {
    1: "upright",
    2: "mirrored",
    3: "turned 180°",
    4: "flipped",
    5: "mirrored, turned 90° left",
    6: "turned 90° right",
    7: "mirrored, turned 90° right",
    8: "turned 90° left",
}
"""EXIF orientation → what was done to the source to get the derived picture."""

_LINKED = ("http", "https", "file")


# Zero-width joiners, and the kinds of characters whose look they change: letters of scripts that
# join, signs over them, and emoji.
_JOINERS = "\u200c\u200d"
_JOINED = {"Lo", "Mn", "Mc", "So", "Sk"}


def visible(text: str) -> str:
    """``text`` with what cannot be seen, or reorders what can (controls, line breaks,
    bidirectional marks, lone surrogates), written as escapes. A joiner is let stand where it can
    be seen by what it does."""
    if text.isprintable():
        return text
    before = ["", *map(unicodedata.category, text)]
    return "".join(
        _escape(char) if _hidden(char, kind) else char
        for char, kind in zip(text, before, strict=False)
    )


def _hidden(char: str, before: str) -> bool:
    """Whether ``char`` cannot be seen after one of the category ``before``."""
    if char in _JOINERS:
        return before not in _JOINED
    kind = unicodedata.category(char)
    return kind[0] == "C" or kind in ("Zl", "Zp")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def name(uri: str) -> str:
    """The last part of the URI's path, decoded, or the URI when there is none."""
    parts = _located(uri)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2]) if parts else ""
    return visible(last or uri)


def folder(uri: str) -> str:
    """What stands before :func:`name`, decoded: a directory, or host and path."""
    parts = _located(uri)
    if parts is None:
        return ""
    return visible(parts.netloc + unquote(parts.path.rstrip("/").rpartition("/")[0]))


def ends(label: str) -> tuple[str, str]:
    """``label`` in two parts: a head that may be cut for want of room and a tail that tells
    copies apart (``…_small.webp``)."""
    cut = max(len(label) // 2, len(label) - 14)
    return label[:cut], label[cut:]


def shortened(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, cut in the middle: both ends tell names apart."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]


def link(uri: str) -> str | None:
    """The URI if it is safe to link: http, https or file, and nothing hidden in it. Else None."""
    parts = _located(uri)
    safe = parts is not None and parts.scheme in _LINKED and visible(uri) == uri
    return uri if safe else None


def _located(uri: str) -> SplitResult | None:
    """The URI's parts if it names a place (``scheme://…``), else None."""
    try:
        return urlsplit(uri) if "://" in uri else None
    except ValueError:
        return None


def moment(time: datetime) -> str:
    """``2026-01-31 02:15:04 UTC``."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(time: datetime) -> str:
    """``2026-01-31``, in UTC."""
    return time.astimezone(UTC).date().isoformat()


def duration(seconds: float) -> str:
    """``0.3 s``, ``41 s``, ``12 min 5 s``, ``3 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def rate(images_per_second: float | None) -> str:
    """``12,345``, ``87``, ``3.2``, or a dash where there is none."""
    if images_per_second is None:
        return "–"
    return f"{images_per_second:,.0f}" if images_per_second >= 10 else f"{images_per_second:.1f}"


def percent(share: float) -> str:
    """``98.3 %``. Only what is certain is 100 %, and only the impossible 0 %."""
    if 0 < share < 1:
        share = min(max(share, 0.001), 0.999)
    return f"{share:.1%}".replace("%", "\N{NO-BREAK SPACE}%")


def chance(probability: float, relation: str | None = None) -> str:
    """A probability, as :func:`percent`. Only the same bytes (``relation`` identical) are certain:
    one that is rounded to 1, or to 0, is 99.9 %, or 0.1 %."""
    return percent(1.0 if relation == "identical" else min(max(probability, 0.001), 0.999))


def scale(factor: float) -> str:
    """Linear scale of the derived picture: ``×0.25``; three digits, no trailing zeros."""
    return f"×{factor:.3g}"


def plural(count: int, noun: str, several: str | None = None) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"
