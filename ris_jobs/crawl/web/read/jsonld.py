"""JSON-LD within a page: images and dates by the words of schema.org."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["Picture", "nodes", "pictures", "published"]

Picture = tuple[str, str | None, str | None]
"""URL as written, text, URL as written of the larger one."""

_MAX_DEPTH = 20
_MAX_NODES = 20_000


def nodes(script: str) -> list[dict[str, Any]]:
    """The objects of a script, outer ones first; none if it is no JSON. Those within more than 20
    others are left out."""
    try:
        level: list[Any] = [json.loads(script)]
    except (ValueError, RecursionError):
        return []
    found: list[dict[str, Any]] = []
    for _ in range(_MAX_DEPTH):
        found += [value for value in level if isinstance(value, dict)]
        level = [inner for value in level for inner in _within(value)]
        if not level or len(found) + len(level) > _MAX_NODES:
            break
    return found


def _within(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in inner if isinstance(item, dict | list)]


def pictures(node: dict[str, Any]) -> Iterator[Picture]:
    """The images that an object names itself, not those of objects within it."""
    main = None
    if _is(node, "ImageObject"):
        main = next(_urls(node.get("contentUrl")), None) or next(_urls(node.get("url")), None)
        if main:
            yield main, _text(node, "caption", "name", "description"), None
    for key in ("thumbnailUrl", "thumbnail"):
        for url in _urls(node.get(key)):
            yield url, _text(node, "caption", "name"), main
    for url in _urls(node.get("image")):
        yield url, _text(node, "headline", "name"), None


def published(node: dict[str, Any]) -> str | None:
    value = node.get("datePublished")
    return value if isinstance(value, str) else None


def _is(node: dict[str, Any], name: str) -> bool:
    kinds = node.get("@type")
    return name in kinds if isinstance(kinds, list) else kinds == name


def _urls(value: Any) -> Iterator[str]:
    """URLs of a property: a text, an object that is an image or of no kind, or a list of these."""
    for item in value[:_MAX_NODES] if isinstance(value, list) else [value]:
        if isinstance(item, dict) and ("@type" not in item or _is(item, "ImageObject")):
            item = item.get("contentUrl", item.get("url", item.get("@id")))
        if isinstance(item, str):
            yield item


def _text(node: dict[str, Any], *keys: str) -> str | None:
    return next((node[key] for key in keys if isinstance(node.get(key), str)), None)
