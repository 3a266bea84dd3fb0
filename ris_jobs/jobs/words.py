"""What people type to be kept: names and reasons."""

from __future__ import annotations

import unicodedata

from ris_jobs.errors import ConfigError

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


def _refused(char: str) -> bool:
    return char in _REORDERING or unicodedata.category(char) in _REFUSED
