"""Why pairs do not count as copies: what reviewers decided, templates, hubs.

Whatever changes one of these, or writes matches, holds :func:`ris_jobs.store.matches.lock` and
ends with :func:`settle`: then ``ris.match.suppressed`` is what the view ``ris.suppression`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from ris_jobs.match.hubs import hubs
from ris_jobs.report.views import Decided, Standing
from ris_jobs.store.queries import query


@dataclass(frozen=True, slots=True)
class Template:
    """An image that was marked, at the URI that stands for it."""

    uri: str
    sha256: str
    note: str | None
    who: str
    marked_at: datetime


def decide(db: Connection, pair: tuple[int, int], answer: str, who: str, why: str) -> None:
    """Write down what a reviewer said of two images: ``copy``, ``not-copy`` or ``unsure``."""
    params = {"one": pair[0], "two": pair[1], "answer": answer, "who": who, "why": why}
    db.execute(query("suppression.decide"), params)


def add_template(db: Connection, image_id: int, note: str | None, who: str) -> bool:
    """Whether it was none before."""
    params = {"image_id": image_id, "note": note, "who": who}
    return bool(db.execute(query("suppression.add_template"), params).rowcount)


def remove_template(db: Connection, image_id: int) -> bool:
    """Whether it was one."""
    params = {"image_id": image_id}
    return bool(db.execute(query("suppression.remove_template"), params).rowcount)


def templates(db: Connection) -> list[Template]:
    """All templates, by URI."""
    return [Template(*row) for row in db.execute(query("suppression.templates"))]


def standing(db: Connection, pair: tuple[int, int]) -> Standing | None:
    """That of the match of two images, whichever is derived; None where there is no match."""
    params = {"one": pair[0], "two": pair[1]}
    row = db.execute(query("suppression.standing"), params).mappings().first()
    if row is None:
        return None
    own = {name: row[name] for name in ("reason", "judged", "template_uri")}
    hub = row["hub_id"]
    pictures = 0 if hub is None else _pictures_around(db, hub)
    decided = decided_of(row)
    return Standing(**own, hub=hub is not None, hub_pictures=pictures, decided=decided)


def _pictures_around(db: Connection, image_id: int) -> int:
    """How many an image lies inside."""
    row = db.execute(query("suppression.inside"), {"ids": [image_id], "limit": 0}).first()
    return len(row.outer_ids) if row else 0


def decided_of(row: RowMapping) -> Decided | None:
    """The decision in a row that has ``answer``, ``who``, ``why`` and ``at``, if any."""
    if row["answer"] is None:
        return None
    return Decided(row["answer"], row["who"], row["why"], row["at"])


def reached(db: Connection, ids: Iterable[int]) -> list[int]:
    """The images whose pairs with any others these decide: themselves, and those that match one
    of them which is a template."""
    return list(db.scalars(query("suppression.reached"), {"ids": sorted(set(ids))}))


def settle(db: Connection, ids: Iterable[int], hub_limit: int) -> list[tuple[int, int]]:
    """Bring up to date what follows from pairs, decisions or a template among these images.
    Returns the (derived, source) ids of pairs that are suppressed now and were not, or for another
    reason, or no more."""
    ids = sorted(set(ids))
    db.execute(query("suppression.match_templates"), {"ids": ids})
    images = reached(db, ids)
    changed = _settle(db, images)
    return sorted(changed | _settle(db, _set_hubs(db, images, hub_limit)))


def _settle(db: Connection, ids: Sequence[int]) -> set[tuple[int, int]]:
    if not ids:
        return set()
    rows = db.execute(query("suppression.settle"), {"ids": ids})
    return {(r.derived_id, r.source_id) for r in rows}


def _set_hubs(db: Connection, ids: Sequence[int], limit: int) -> list[int]:
    """Find the hubs anew among all that these images bear on. Returns what is one now and was
    not, or no more."""
    around = list(db.scalars(query("suppression.around"), {"ids": ids}))
    rows = db.execute(query("suppression.inside"), {"ids": around, "limit": limit})
    inside = {r.inner_id: r.outer_ids for r in rows}
    outer = sorted({i for outer_ids in inside.values() for i in outer_ids})
    pairs = db.execute(query("suppression.ties"), {"ids": outer})
    ties = [(r.derived_id, r.source_id) for r in pairs]
    params = {"ids": around, "hubs": sorted(hubs(inside, ties, limit))}
    return list(db.scalars(query("suppression.set_hubs"), params))
