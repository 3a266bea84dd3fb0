"""Search: one picture against all that were scanned. Nothing of it is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint.pipeline import Processed
from ris_jobs.jobs.match import Means, judged, sides_of
from ris_jobs.jobs.models import calibration_of, open_pipeline
from ris_jobs.match import Candidate, Match, Side
from ris_jobs.match.candidates import Described, pair_up
from ris_jobs.match.compared import Compared
from ris_jobs.match.ranking import ranked_unsettled
from ris_jobs.report import contact
from ris_jobs.report.views import Hit
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images
from ris_jobs.store.stores import Stores
from ris_jobs.store.vectors import WHOLES

_QUERY = 0  # image ids in the tables begin at 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One image that answers a search, best first.

    For ``source`` searches the relation fields are set; ``query_is`` tells which side the query
    is: ``derived``, ``source``, ``same`` (the same bytes) or ``undetermined``.
    """

    uri: str
    sha256: str
    cosine: float
    relation: str | None = None
    query_is: str | None = None
    probability: float | None = None
    scale: float | None = None
    orientation: int | None = None
    box: tuple[float, float, float, float] | None = None
    suppressed: str | None = None

    @property
    def said(self) -> str | None:
        """The relation, and why it does not count if it does not."""
        return f"{self.relation}, {self.suppressed}" if self.suppressed else self.relation


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, best first, with the query's own preview (JPEG bytes)."""

    query: bytes
    found: tuple[Found, ...]


def search(stores: Stores, settings: Settings, data: bytes, mode: str, k: int) -> Answer:
    """``source``: the scanned images this one is a copy of, or that are copies of it, typed.
    ``similar``: the nearest by descriptor. At most ``k``.

    Raises :class:`ImageRejected` when ``data`` is not a usable image.
    """
    result = open_pipeline(settings).run([data])[0]
    if isinstance(result, ImageRejected):
        raise result
    limit = k if mode == "similar" else max(k, settings.top_k)
    if mode == "similar":
        found = _similar(stores, result, limit)
    else:
        found = _sources(stores, settings, data, result, limit)
    return Answer(result.preview, tuple(found[:k]))


def contact_sheet(stores: Stores, answer: Answer) -> bytes:
    """The query and what was found for it, as one PNG picture."""
    hits = [
        Hit(f.uri, f.cosine, f.said, f.probability, stores.previews.read(f.sha256))
        for f in answer.found
    ]
    return contact.contact_sheet(answer.query, hits)


def _similar(stores: Stores, query: Processed, limit: int) -> list[Found]:
    hits = stores.vectors.search(query.descriptors[:1], limit, [WHOLES])
    near = zip(hits.ids[0].tolist(), hits.cosines[0].tolist(), strict=True)
    found = _describe(stores, {i: {"cosine": cosine} for i, cosine in near if i >= 0})
    return sorted(found, key=lambda f: (-f.cosine, f.uri))


def _sources(
    stores: Stores, settings: Settings, data: bytes, query: Processed, limit: int
) -> list[Found]:
    sha256 = hashlib.sha256(data).hexdigest()
    with stores.engine.connect() as db:
        candidates = _candidates(db, stores, query, limit, settings.min_cosine)
        sides = sides_of(db, stores.model_id, candidates)
    same = [i for i, s in sides.items() if s.sha256 == sha256]
    common = query.commonness.tolist()
    sides[_QUERY] = Side(_QUERY, sha256, query.fingerprint, datetime.now(UTC), common)
    others = [c for c in candidates if c.other_id not in same]
    compared = Compared.of(others, sides)
    others = ranked_unsettled(others, compared, {_QUERY})
    means = Means.of(stores, calibration_of(settings), settings)
    matches = judged(others, compared, means, pictures={_QUERY: query.preview})
    found = {_other(m): _relation(m) for m in matches}
    for i in same:
        found[i] = {"cosine": 1.0, "relation": "identical", "query_is": "same", "probability": 1.0}
    return sorted(_describe(stores, found), key=_place)


def _place(f: Found) -> tuple[bool, float, float, str]:
    """What counts before what is suppressed, the most probable first."""
    return f.suppressed is not None, -(f.probability or 0), -f.cosine, f.uri


def _candidates(
    db: Connection, stores: Stores, query: Processed, limit: int, min_cosine: float
) -> list[Candidate]:
    described = Described.of({_QUERY: query.descriptors}, {_QUERY: query.fingerprint.hashes.pdq})

    def load(ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
        return descriptors.vectors(db, stores.model_id, ids) | {_QUERY: query.descriptors}

    near = stores.vectors.neighbours(described, limit)
    return pair_up(near, top_k=limit, min_cosine=min_cosine, load=load)


def _other(m: Match) -> int:
    return m.source_id if m.derived_id == _QUERY else m.derived_id


def _relation(m: Match) -> dict[str, Any]:
    side = "derived" if m.derived_id == _QUERY else "source"
    undetermined = m.evidence.get("direction") == "undetermined"
    return {
        "cosine": m.cosine,
        "relation": m.relation.value,
        "query_is": "undetermined" if undetermined else side,
        "probability": m.probability,
        "scale": m.scale,
        "orientation": m.orientation,
        "box": m.box,
        "suppressed": m.suppressed,
    }


def _describe(stores: Stores, found: dict[int, dict[str, Any]]) -> list[Found]:
    with stores.engine.connect() as db:
        uris = images.uris(db, list(found))
        stored = images.by_ids(db, found)
    return [
        Found(uri=uris[i], sha256=stored[i].sha256, **values)
        for i, values in found.items()
        if i in uris and i in stored
    ]
