"""Review: what people say of pairs and of templates, and what follows from it, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from ris_jobs.errors import NotFound
from ris_jobs.jobs.lookup import seen
from ris_jobs.jobs.resolve import look_again
from ris_jobs.jobs.words import printable, reason, reviewer
from ris_jobs.settings import Settings
from ris_jobs.store import families, images, matches, suppression
from ris_jobs.store.suppression import Template

_TEXT_MAX = 1000
_OPEN = ("undetermined", "unsure")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on the pair at two URIs, and the reason it was ``suppressed`` for, and is now
    (None: it counts); ``changed`` counts all pairs that this changed."""

    uris: tuple[str, str]
    answer: str
    by: str
    before: str | None
    suppressed: str | None
    changed: int


@dataclass(frozen=True, slots=True)
class SourceDecision:
    """A decision on the source of the family of the image at ``uri``: the URI of the source that
    was named ``before``, and is ``now`` (None: undetermined)."""

    uri: str
    answer: str
    by: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Marked:
    """A template that was added (``new`` unless it was one before) or removed, and how many
    pairs this changed."""

    uri: str
    changed: int
    new: bool = False


def decide(
    engine: Engine, settings: Settings, one: str, two: str, answer: str, why: str, by: str | None
) -> Decision:
    """Keep a reviewer's ``answer`` (copy, not-copy or unsure) on the match of two images, named
    as for :func:`ris_jobs.jobs.explain`, and take what changes into families. ``by`` is the user
    of the system unless given.

    Raises :class:`NotFound` where no match of them is stored.
    """
    why, by = reason(why), reviewer(by)
    with engine.begin() as db:
        first, second = seen(db, settings, one), seen(db, settings, two)
        ids = (first.image_id, second.image_id)
        matches.lock(db)
        before = _reason(db, ids, one, two)
        suppression.decide(db, ids, answer, by, why)
        changed = _settle(db, ids, settings.hub_limit)
        after = _reason(db, ids, one, two)
    return Decision((first.uri, second.uri), answer, by, before, after, changed)


def decide_source(
    engine: Engine, settings: Settings, name: str, source: str, why: str, by: str | None
) -> SourceDecision:
    """Keep a reviewer's word on the source of an image's family: an image, both named as for
    :func:`ris_jobs.jobs.explain`, or ``undetermined``, or ``unsure`` for as if nobody had decided.

    Raises :class:`NotFound` for an image in no family, or a source that does not match it.
    """
    why, by = reason(why), reviewer(by)
    with engine.begin() as db:
        image = seen(db, settings, name)
        matches.lock(db)
        before = _source(db, image.image_id, name)
        answer = source if source in _OPEN else "source"
        chosen = None if source in _OPEN else seen(db, settings, source)
        if chosen is not None:
            _must_match(db, image.image_id, chosen.image_id, name, source)
        source_id = None if chosen is None else chosen.image_id
        decided = families.decide(db, image.image_id, answer, source_id, by, why)
        look_again(db, [image.image_id], None, because={"decision": decided})
        now = _source(db, image.image_id, name)
    return SourceDecision(image.uri, answer, by, before, now)


def _source(db: Connection, image_id: int, name: str) -> str | None:
    """The URI of the source of the image's family."""
    found = families.source_of(db, image_id)
    if found is None:
        raise NotFound(f"{name!r} is in no family, for it matches no other image")
    return None if found[0] is None else images.uris(db, [found[0]])[found[0]]


def _must_match(db: Connection, one: int, two: int, name: str, source: str) -> None:
    known = {frozenset((p.derived_id, p.source_id)) for p in matches.pairs(db, [one, two])}
    if one != two and frozenset((one, two)) not in known:
        raise NotFound(
            f"no match of {name!r} and {source!r} counts, and members of a family match its source"
        )


def add_template(
    engine: Engine, settings: Settings, name: str, note: str | None, by: str | None
) -> Marked:
    """Mark an image, named as for :func:`ris_jobs.jobs.explain`, as a template, and take what
    changes into families. One that is a template already stays as it is."""
    by = reviewer(by)
    note = None if note is None else printable("--note", note, _TEXT_MAX)
    with engine.begin() as db:
        image = seen(db, settings, name)
        matches.lock(db)
        new = suppression.add_template(db, image.image_id, note, by)
        changed = _settle(db, [image.image_id], settings.hub_limit)
    return Marked(image.uri, changed, new)


def remove_template(engine: Engine, settings: Settings, name: str) -> Marked:
    """Let the pairs of a template be judged as those of any image. :class:`NotFound` for an
    image that is none."""
    with engine.begin() as db:
        image = seen(db, settings, name)
        matches.lock(db)
        reached = suppression.reached(db, [image.image_id])
        if not suppression.remove_template(db, image.image_id):
            raise NotFound(f"{name!r} is no template; `ris template list` names those there are")
        changed = _settle(db, reached, settings.hub_limit)
    return Marked(image.uri, changed)


def _settle(db: Connection, ids: Sequence[int], hub_limit: int) -> int:
    """Let pairs of these images count or not, and take those that changed, and no others, into
    families: what a scan beside this has found is the scan's. Returns how many changed."""
    changed = suppression.settle(db, ids, hub_limit)
    if changed:
        look_again(db, [i for pair in changed for i in pair], None)
    return len(changed)


def list_templates(engine: Engine) -> list[Template]:
    """All templates, by URI."""
    with engine.connect() as db:
        return suppression.templates(db)


def _reason(db: Connection, ids: tuple[int, int], one: str, two: str) -> str | None:
    if ids[0] == ids[1]:
        raise NotFound(f"{one!r} and {two!r} are the same bytes, so there is nothing to decide")
    found = suppression.standing(db, ids)
    if found is None:
        raise NotFound(
            f"no match of {one!r} and {two!r} is stored, and a decision cannot make one: how one "
            "lies on the other is not known; `ris explain` says why there is none"
        )
    return found.reason
