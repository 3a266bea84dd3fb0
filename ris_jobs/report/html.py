"""A run as one self-contained HTML page: it asks for nothing outside itself.

The page carries its pictures as ``data:`` URIs, each once however many pairs show it, up to a
budget; a Content-Security-Policy allows those, and the page's own style and script by hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ris_jobs.report import text
from ris_jobs.report.views import Box, FamilyView, ImageView, PairView, RunView

__all__ = ["render"]

Picture = Callable[[str], bytes | None]

MAX_QUARANTINE = 2_000
MAX_KNOWN = 2_000

_READERS: tuple[Callable[..., Any], ...] = (
    *(text.name, text.folder, text.link, text.ends),
    *(text.moment, text.duration, text.rate, text.scale, text.chance),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs shown together; ``family`` is None for those that belong to none."""

    family: FamilyView | None
    pairs: tuple[PairView, ...]


@dataclass(frozen=True, slots=True)
class Album:
    """Pictures on the page: sha256 → base64 JPEG; ``over`` did not fit into the budget,
    ``gone`` have no preview."""

    pictures: Mapping[str, Markup]
    over: int
    gone: int


def render(
    run: RunView, picture: Picture, *, budget: int = 32 << 20, max_pairs: int = 10_000
) -> Iterator[str]:
    """The report of ``run`` as HTML, in pieces.

    ``picture`` gives an image's thumbnail (JPEG bytes, by sha256) or None; it is asked once for
    each image shown, in page order, while the thumbnails so far take less than ``budget`` bytes
    of the page. Of the pairs, the first ``max_pairs`` are shown. The page says what it left out.
    """
    groups = _groups(run, [pair for pair in run.pairs if not pair.suppressed][:max_pairs])
    suppressed = [pair for pair in run.pairs if pair.suppressed][:max_pairs]
    shown = [pair for group in groups for pair in group.pairs] + suppressed
    style, script = _asset("report.css"), _asset("report.js")
    stream = _template().stream(
        run=run,
        groups=groups,
        suppressed=suppressed,
        quarantine=run.quarantine[:MAX_QUARANTINE],
        known=run.known[:MAX_KNOWN],
        album=_album(shown, picture, budget),
        sprite=_Sprites(),
        left_out=len(run.pairs) - len(shown),
        style=Markup(style),
        script=Markup(script),
        csp=_policy(style, script),
    )
    stream.enable_buffering(200)
    return iter(stream)


def _groups(run: RunView, pairs: Iterable[PairView]) -> list[Group]:
    """Families in the order of their first pair; pairs of no family together at the end."""
    families = {family.family_id: family for family in run.families}
    gathered: dict[str | None, list[PairView]] = {}
    for pair in pairs:
        key = pair.family_id if pair.family_id in families else None
        gathered.setdefault(key, []).append(pair)
    alone = gathered.pop(None, [])
    groups = [Group(families[key], tuple(pairs)) for key, pairs in gathered.items() if key]
    return [*groups, Group(None, tuple(alone))] if alone else groups


def _album(pairs: Iterable[PairView], picture: Picture, budget: int) -> Album:
    wanted = dict.fromkeys(side.sha256 for pair in pairs for side in (pair.source, pair.derived))
    pictures: dict[str, Markup] = {}
    over = gone = 0
    for sha256 in wanted:
        if over:
            over += 1
            continue
        jpeg = picture(sha256)
        if jpeg is None:
            gone += 1
            continue
        budget -= -(-len(jpeg) // 3) * 4
        if budget < 0:
            over += 1
        else:
            pictures[sha256] = Markup(base64.b64encode(jpeg).decode("ascii"))
    return Album(pictures, over, gone)


class _Sprites:
    """Tells whether a picture is on the page already: it is written out at its first use."""

    def __init__(self) -> None:
        self._written: set[str] = set()

    def first(self, sha256: str) -> bool:
        new = sha256 not in self._written
        self._written.add(sha256)
        return new


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src '{_source_hash(style)}'; "
        f"script-src '{_source_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _source_hash(inline: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode("ascii")


def _boxed(pair: PairView, side: ImageView) -> Box | None:
    """The pair's box if it lies in this side: a crop's in the source, any other in the derived."""
    inside = pair.source if pair.relation == "crop" else pair.derived
    return pair.box if side is inside else None


def _evidence(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name and figure of each score; those of a nested object are named ``object.score``."""
    for key, score in value.items():
        if isinstance(score, Mapping):
            yield from _evidence(score, f"{prefix}{key}.")
        else:
            shown = score if isinstance(score, str) else json.dumps(score, default=str)
            yield prefix + key, shown


def _visible(value: Any) -> Any:
    """Nothing on the page is hidden or reordered by what a value holds."""
    return text.visible(value) if type(value) is str else value


def _asset(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


@cache
def _template() -> Template:
    env = Environment(
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {reader.__name__: reader for reader in _READERS}
    env.filters["evidence"] = _evidence
    env.globals |= {"boxed": _boxed, "orientations": text.ORIENTATIONS, "plural": text.plural}
    return env.from_string(_asset("report.html"))
