"""Orders and events as JSON, a line each, between the process that crawls and its parent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, time
from enum import StrEnum
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from ris_jobs.crawl.source import Limits, Politeness, Source
from ris_jobs.crawl.web.values import Ended, Event, Host, Image, Named, Order, Placed, Where
from ris_jobs.errors import Reason

__all__ = ["dump", "event", "order"]

_EVENTS = {kind.__name__: kind for kind in (Image, Named, Placed, Host, Ended)}


def dump(value: Order | Event) -> bytes:
    """One line."""
    return json.dumps([type(value).__name__, _plain(value)]).encode() + b"\n"


def event(line: bytes) -> Event:
    name, values = json.loads(line)
    if name == "Image":
        _convert(values, seen_at=datetime.fromisoformat, path=Path, reason=Reason, where=_where)
    elif name == "Placed":
        _convert(values, where=_where)
    return _EVENTS[name](**values)


def order(line: bytes) -> Order:
    _, values = json.loads(line)
    _convert(values, source=_source, images=Path, known=Path, spool=Path, turns=Path)
    return Order(**values)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | time):
        return value.isoformat()
    if isinstance(value, StrEnum) or value is None or isinstance(value, str | int | float):
        return value
    return str(value)  # paths, networks


def _convert(values: dict[str, Any], **types: Any) -> None:
    for name, made in types.items():
        if values[name] is not None:
            values[name] = made(values[name])


def _where(values: dict[str, Any]) -> Where:
    _convert(values, published_at=datetime.fromisoformat)
    return Where(**values)


def _source(values: dict[str, Any]) -> Source:
    _convert(values, include=tuple, exclude=tuple, tags=tuple, politeness=_politeness)
    return Source(**{**values, "limits": Limits(**values["limits"])})


def _politeness(values: dict[str, Any]) -> Politeness:
    networks, times = partial(map, ip_network), partial(map, time.fromisoformat)
    _convert(values, allowed=lambda v: tuple(networks(v)), ports=frozenset)
    _convert(values, window=lambda v: tuple(times(v)))
    return Politeness(**values)
