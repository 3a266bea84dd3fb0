"""A run as one self-contained HTML page: it asks for nothing outside itself.

The page carries its pictures as ``data:`` URIs, each once however many pairs show it, up to a
budget; a Content-Security-Policy allows those, and the page's own style and script by hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ris_jobs.provenance.words import is_decided
from ris_jobs.report import text
from ris_jobs.report.placed import derived_inside, placed
from ris_jobs.report.views import Box, FamilyView, ImageView, PairView, RunView

__all__ = ["render"]

Picture = Callable[[str, int], bytes | None]

MAX_QUARANTINE = 2_000
MAX_KNOWN = 2_000
MAX_URIS = 200
MAX_FAMILY_CHANGES = 200
MAX_MEMBERS = 24

# Thumbnails, pixels; where a page shows more than so many, all are smaller, so that more fit.
_LARGEST, _SMALLEST = 240, 96
_MANY = 2_000

_READERS: tuple[Callable[..., Any], ...] = (
    *(text.name, text.folder, text.link, text.ends),
    *(text.moment, text.day, text.duration, text.rate, text.scale, text.chance),
)


@dataclass(frozen=True, slots=True)
class Member:
    """An image of a family, and the pair that ties it to the first of them; None for that one
    itself, and where no pair on the page ties it."""

    image: ImageView
    tie: PairView | None


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs shown together; ``family`` is None for those that belong to none. ``members`` are the
    source (where it is undetermined, the image in most pairs), then the others, surest first."""

    family: FamilyView | None
    pairs: tuple[PairView, ...]
    members: tuple[Member, ...] = ()


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

    ``picture`` gives an image's thumbnail (JPEG bytes, by sha256 and its longer side in pixels) or
    None; it is asked once for each image shown, in page order, while the thumbnails so far take
    less than ``budget`` bytes of the page. Of the pairs, the first ``max_pairs`` are shown. The
    page says what it left out.
    """
    groups = _groups(run, [pair for pair in run.pairs if not pair.suppressed][:max_pairs])
    suppressed = [pair for pair in run.pairs if pair.suppressed][:max_pairs]
    families = {group.family.family_id for group in groups if group.family}
    shown = [pair for group in groups for pair in group.pairs] + suppressed
    style, script = asset("report.css"), asset("report.js")
    stream = _template().stream(
        run=run,
        groups=groups,
        suppressed=suppressed,
        quarantine=run.quarantine[:MAX_QUARANTINE],
        known=run.known[:MAX_KNOWN],
        album=_album(_images(groups, suppressed), picture, budget),
        sprite=_Sprites(),
        left_out=len(run.pairs) - len(shown),
        shown_families=families,
        weights=sorted({f.model for f in run.families if f.model}),
        families_out=max(0, run.summary.families - len(families)),
        max_members=MAX_MEMBERS,
        max_family_changes=MAX_FAMILY_CHANGES,
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
    groups = [
        Group(families[key], tuple(pairs), tuple(_members(families[key], pairs)))
        for key, pairs in gathered.items()
        if key
    ]
    return [*groups, Group(None, tuple(alone))] if alone else groups


def _members(family: FamilyView, pairs: Sequence[PairView]) -> list[Member]:
    """Each of its images that the pairs show; those at further URIs, of the same bytes, only once.
    A pair may show one that is in another family, or in none any more."""
    own = frozenset(family.images)
    both = (side for pair in pairs for side in (pair.source, pair.derived))
    sides = [side for side in both if side.sha256 in own]
    images = {side.sha256: side for side in reversed(sides)}
    source = next((side.sha256 for side in sides if side.uri == family.source_uri), None)
    centre = source or Counter(side.sha256 for side in sides).most_common(1)[0][0]
    ties = _ties(centre, pairs)
    rest = [Member(image, ties.get(key)) for key, image in images.items() if key != centre]
    rest.sort(key=lambda member: -(member.tie.probability if member.tie else 0))
    return [Member(images[centre], None), *rest]


def _ties(centre: str, pairs: Iterable[PairView]) -> dict[str, PairView]:
    """The surest pair of each other image (sha256) with that at the centre."""
    ties = {}
    for pair in sorted(pairs, key=lambda pair: pair.probability):
        ends = {pair.source.sha256, pair.derived.sha256}
        if centre in ends and len(ends) == 2:
            ties[(ends - {centre}).pop()] = pair
    return ties


def _images(groups: Iterable[Group], suppressed: Iterable[PairView]) -> Iterator[ImageView]:
    """In page order."""
    for group in [*groups, Group(None, tuple(suppressed))]:
        if len(group.members) > 2:
            yield from (member.image for member in group.members[:MAX_MEMBERS])
        yield from (side for pair in group.pairs for side in (pair.source, pair.derived))


def _album(images: Iterable[ImageView], picture: Picture, budget: int) -> Album:
    wanted = dict.fromkeys(image.sha256 for image in images)
    side = max(_SMALLEST, min(_LARGEST, _LARGEST * _MANY // max(1, len(wanted))))
    pictures: dict[str, Markup] = {}
    over = gone = 0
    for sha256 in wanted:
        if over:
            over += 1
            continue
        jpeg = picture(sha256, side)
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
        f"default-src 'none'; img-src data:; style-src '{source_hash(style)}'; "
        f"script-src '{source_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def source_hash(inline: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode("ascii")


def _boxed(pair: PairView, side: ImageView) -> Box | None:
    """The pair's box if it lies in this side."""
    outer = pair.source if derived_inside(pair) else pair.derived
    return pair.box if side is outer else None


def _placement(pair: PairView) -> str:
    """The numbers a–f of a canvas transform from the inner picture to the outer."""
    return " ".join(f"{number:.4g}" for number in placed(pair)[:2].T.flat)


def _sure(family: FamilyView) -> str:
    """How sure its source is, as people read it."""
    if is_decided(family.reasons):
        return "decided"
    return f"with {text.chance(family.confidence)} confidence"


def _argued(reasons: Iterable[str]) -> dict[str, list[str]]:
    """What speaks for a source, against it, and what is missing, without these words."""
    told: dict[str, list[str]] = {}
    for reason in reasons:
        kind, colon, said = reason.partition(": ")
        known = colon and kind in ("for", "against", "missing")
        told.setdefault(kind if known else "", []).append(said if known else reason)
    return told


def _height(count: int, most: int) -> float:
    """Of a bar on a logarithmic scale, 0–1."""
    return math.log1p(count) / math.log1p(most) if most else 0.0


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


def asset(name: str) -> str:
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
    env.filters |= {
        "evidence": _evidence,
        "argued": _argued,
        "sure": _sure,
        "placement": _placement,
    }
    env.filters["seconds"] = lambda time: int(time.timestamp())
    env.globals |= {"boxed": _boxed, "derived_inside": derived_inside, "height": _height}
    env.globals |= {"orientations": text.ORIENTATIONS, "plural": text.plural}
    # A browser makes a node of every line break between two tags.
    return env.from_string(
        re.sub(r">\n(?=[<{])|(?<=}})\n(?=<)", lambda m: m[0][:-1], asset("report.html"))
    )
