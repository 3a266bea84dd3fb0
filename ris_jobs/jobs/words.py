"""What people type to be kept: names and reasons."""

from __future__ import annotations

import getpass
import unicodedata

from ris_jobs.errors import ConfigError

_NAME_MAX, _TEXT_MAX = 100, 1000
# Controls, lone surrogates, line breaks: no part of a line of text in any script.
_REFUSED = {"Cc", "Cs", "Zl", "Zp"}
# What embeds, overrides and isolates directions can make a text read as another.
_REORDERING = {*map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))}


def printable(option: str, text: str, most: int) -> str:
    """``text`` without space around it. :class:`ConfigError` that names the ``option`` unless it
    is 1 to ``most`` characters of any script, on one line, of which one can be seen."""
    text = text.strip()
    seen = any(map(str.isprintable, text))
    if seen and len(text) <= most and not any(map(_refused, text)):
        return text
    raise ConfigError(option, f"must be 1 to {most} printable characters, not {text!r}")


def reason(why: str) -> str:
    """``why`` as it is kept."""
    return printable("--why", why, _TEXT_MAX)


def reviewer(by: str | None) -> str:
    """Who decides: the user of the system unless given."""
    if by is None:
        try:
            by = getpass.getuser()
        except (KeyError, OSError) as e:
            raise ConfigError("--by", "is needed: the user of this system has no name") from e
    return printable("--by", by, _NAME_MAX)


def _refused(char: str) -> bool:
    return char in _REORDERING or unicodedata.category(char) in _REFUSED
