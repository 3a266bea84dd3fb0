"""Figures of workers that did a step side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["together"]


def together(parts: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """The figures of workers as those of one: counts and seconds in stages add up, but side by side
    they take as long as the slowest."""
    found: dict[str, Any] = {}
    for part in parts or ():
        for name, value in part.items():
            found[name] = _sum(name, found.get(name), value)
    return found


def _sum(name: str, one: Any, other: Any) -> Any:
    if one is None:
        return other
    if isinstance(other, Mapping):
        return {key: one.get(key, 0) + value for key, value in other.items()} | {
            key: value for key, value in one.items() if key not in other
        }
    return max(one, other) if name == "seconds" else one + other
