"""Text from outside, as PostgreSQL can hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_URI = 2000
"""Bytes of what is kept of a URI as somebody wrote it; an index takes little more."""


def storable(value: Any, limit: int | None = None) -> Any:
    """A value of JSON whose texts, keys too, have no NUL and no half of a character, and at most
    ``limit`` bytes of UTF-8."""
    if isinstance(value, str):
        data = value.replace("\0", "").encode("utf-8", "replace")
        return data[:limit].decode("utf-8", "ignore")
    if isinstance(value, Mapping):
        return {storable(k, limit): storable(v, limit) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [storable(v, limit) for v in value]
    return value
