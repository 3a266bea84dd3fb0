"""Sources as people declare them: plain mappings of YAML or JSON, read strictly and written back.

``limits`` and ``politeness`` are mappings of their own; ``window`` is ``22:00-06:00``, ``allowed``
are networks such as ``10.0.0.0/8``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import time
from ipaddress import ip_network
from typing import Any

import yaml

from ris_jobs.crawl.fetch.addresses import Network
from ris_jobs.crawl.source import Limits, Politeness, Source
from ris_jobs.errors import ConfigError

__all__ = ["as_declared", "read_file", "source_of"]

_TEXTS = ("kind", "location", "schedule", "credentials", "contact")
_LISTS = ("include", "exclude", "tags")
_WHOLE = ("images", "pages", "depth", "requests", "bytes", "per_host")
_NUMBERS = ("seconds", "delay")


def read_file(text: str, where: str) -> dict[str, Source]:
    """Name → source, of a file of YAML that has one mapping, ``sources``.

    :class:`ConfigError` names ``where``, or the source and the field, that is wrong.
    """
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as e:
        raise ConfigError(where, f"is not YAML: {' '.join(str(e).split())[:300]}") from e
    if not isinstance(found, dict) or set(found) != {"sources"}:
        raise ConfigError(where, "must hold one mapping, sources")
    declared = found["sources"] or {}
    if not isinstance(declared, dict):
        raise ConfigError(where, "must have names of sources under sources")
    return {str(name): source_of(str(name), values) for name, values in declared.items()}


def source_of(name: str, values: Any) -> Source:
    """The source that is declared by ``values``; what they do not say has its default."""
    given = _known(f"source {name!r}", values, Source, leave_out=("name",))
    for missing in ("kind", "location"):
        if missing not in given:
            raise ConfigError(f"source {name!r}: {missing}", "is missing")
    for field, kind in (("limits", Limits), ("politeness", Politeness)):
        if field in given:
            nested = _known(f"source {name!r}: {field}", given[field], kind)
            given[field] = kind(**nested)
    return Source(name=name, **given)


def as_declared(value: Source | Limits | Politeness) -> dict[str, Any]:
    """The mapping that :func:`source_of` reads as this value, without what is the default."""
    found = {}
    for field in fields(value):
        here = getattr(value, field.name)
        if field.name != "name" and here != field.default:
            found[field.name] = _plain(here)
    return found


def _known(where: str, values: Any, kind: type, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(where, "must be a mapping of fields to values")
    names = [f.name for f in fields(kind) if f.name not in leave_out]
    if unknown := [str(key) for key in values if key not in names]:
        raise ConfigError(f"{where}: {unknown[0]}", f"is not a field; there are {', '.join(names)}")
    return {key: _read(f"{where}: {key}", key, value) for key, value in values.items()}


def _read(where: str, field: str, value: Any) -> Any:
    if field in _LISTS:
        return _texts(where, value)
    if field in _TEXTS:
        return _typed(where, value, str, "must be text", none=field not in ("kind", "location"))
    if field in _WHOLE:
        return _typed(where, value, int, "must be a whole number", none=field != "per_host")
    if field in _NUMBERS:
        return _typed(where, value, (int, float), "must be a number", none=field == "seconds")
    if field == "robots":
        return _typed(where, value, bool, "must be true or false")
    parse = _PARSERS.get(field)
    try:
        return parse(value) if parse else value
    except (ValueError, TypeError, AttributeError) as e:
        raise ConfigError(where, f"cannot be read: {e}") from e


def _typed(where: str, value: Any, kind: Any, problem: str, none: bool = False) -> Any:
    if none and value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(where, f"{problem}, not {value!r}")
    return value


def _texts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise ConfigError(where, "must be a list of texts")
    return tuple(value)


def _window(value: Any) -> tuple[time, time] | None:
    if value is None:
        return None
    first, _, last = value.partition("-")
    return time.fromisoformat(first.strip()), time.fromisoformat(last.strip())


def _networks(value: Any) -> tuple[Network, ...]:
    return tuple(ip_network(str(network)) for network in _several(value))


def _ports(value: Any) -> frozenset[int]:
    return frozenset(int(port) for port in _several(value))


def _several(value: Any) -> list[Any]:
    """One value stands for a list of it."""
    return list(value) if isinstance(value, list | tuple) else [value]


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "window": _window,
    "allowed": _networks,
    "ports": _ports,
}


def _plain(value: Any) -> Any:
    if isinstance(value, Limits | Politeness):
        return as_declared(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        if value and isinstance(value[0], time):
            return "-".join(t.isoformat("minutes") for t in value)
        return [str(item) for item in value]
    return value
