"""XML from strangers: element by element, without entities, external files or network."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lxml import etree

__all__ = ["child", "elements", "name", "root_name"]

_PROLOGUE = 4096
_MAX_EVENTS = 3_000_000  # starts and ends of elements; some 10 s of work


def elements(body: bytes, *names: str) -> Iterator[Any]:
    """The elements of these local names, each once it is whole; what was read is let go after, so
    that a large file takes little memory. Of a broken file some may be missing, of one with more
    than 1.5 million elements the end."""
    inside = 0
    try:
        for event, element in islice(_events(body), _MAX_EVENTS):
            wanted = name(element) in names
            inside += wanted and event == "start"
            if event == "end":
                inside -= wanted
                if wanted:
                    yield element
                if not inside:
                    _forget(element)
    except (etree.LxmlError, ValueError, LookupError):
        return


def _events(body: bytes) -> Iterator[tuple[str, Any]]:
    return iter(
        etree.iterparse(
            io.BytesIO(body),
            events=("start", "end"),
            recover=True,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
    )


def _forget(element: Any) -> None:
    element.clear()
    while (before := element.getprevious()) is not None:
        before.getparent().remove(before)


def name(element: Any) -> str:
    """The local name in small letters."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def child(element: Any, *names: str) -> str | None:
    """The text of the first child of one of these local names that has any."""
    for inner in element:
        if name(inner) in names and (inner.text or "").strip():
            return str(inner.text)
    return None


def root_name(body: bytes) -> str | None:
    """The local name of the outermost element, told by the first 4 KiB; None if it is no XML."""
    parser = etree.XMLPullParser(
        events=("start",), recover=True, resolve_entities=False, load_dtd=False, no_network=True
    )
    try:
        parser.feed(body[:_PROLOGUE].lstrip())
        return next((name(element) for _, element in parser.read_events()), None)
    except (etree.LxmlError, ValueError, LookupError):
        return None
