"""What people type to be kept: names and reasons."""

from __future__ import annotations

from ris_jobs.errors import ConfigError


def printable(option: str, text: str, most: int) -> str:
    """``text`` without space around it. :class:`ConfigError` that names the ``option`` unless it
    is 1 to ``most`` printable characters, on one line."""
    text = text.strip()
    if text and len(text) <= most and text.isprintable():
        return text
    raise ConfigError(option, f"must be 1 to {most} printable characters, not {text!r}")
