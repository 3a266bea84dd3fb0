"""Explain: all about one pair of images, from the tables or judged now. No answer is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from ris_jobs.errors import NotFound
from ris_jobs.jobs.lookup import seen
from ris_jobs.jobs.match import Means, compared_of, judged
from ris_jobs.jobs.models import calibration_of
from ris_jobs.jobs.pictures import loaders, stored_preview
from ris_jobs.match import Candidate, Match
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.candidates import Described, nearest_parts, pair_up
from ris_jobs.match.derivation import derivation
from ris_jobs.match.ranking import ranked_unsettled
from ris_jobs.match.ruling import Ruling, rule
from ris_jobs.report import explain as drawing
from ris_jobs.report.explanation import Explanation, Judged, Versions
from ris_jobs.report.overlay import overlay
from ris_jobs.report.views import ImageView, PairView, Standing
from ris_jobs.rules import code_version
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images, matches, suppression
from ris_jobs.store.images import Seen
from ris_jobs.store.matches import Decided
from ris_jobs.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Explained:
    """What there is to say, and its picture (PNG bytes)."""

    said: Explanation
    picture: bytes


def explain(stores: Stores, settings: Settings, one: str, two: str) -> Explained:
    """The pair of ``one`` and ``two``: a URI, the path of a file, or the sha256 of an image.

    Raises :class:`NotFound` for what no scan has seen, or what it could not use.
    """
    with stores.engine.connect() as db:
        asked = (seen(db, settings, one), seen(db, settings, two))
        said = _said(db, stores, settings, asked)
    first, second = (stored_preview(stores.previews, i.image_id, i.sha256) for i in asked)
    laid = overlay(said, first, second)
    return Explained(said, drawing.draw(said, first, second, laid))


# ── what is said of them ─────────────────────────────────────────────────────────────────────


def _said(
    db: Connection, stores: Stores, settings: Settings, seen: tuple[Seen, Seen]
) -> Explanation:
    ids = (seen[0].image_id, seen[1].image_id)
    stored = images.by_ids(db, ids)
    views = _views(seen, stored, by_uri=ids[0] == ids[1])
    first, second = (stored[i].fingerprint.traces.manifest for i in ids)
    return replace(_of_pair(db, stores, settings, views, ids), manifests=(first, second))


def _of_pair(
    db: Connection,
    stores: Stores,
    settings: Settings,
    views: tuple[ImageView, ImageView],
    ids: tuple[int, int],
) -> Explanation:
    if ids[0] == ids[1]:
        return Explanation(images=views, pair=None, judged=None, derivation=None, versions=None)
    decided = matches.decided(db, ids)
    if decided is not None:
        return _of_tables(views, ids, decided, suppression.standing(db, ids))
    return _judged_now(db, stores, settings, views, ids)


def _views(
    seen: tuple[Seen, Seen], stored: dict[int, images.Stored], *, by_uri: bool
) -> tuple[ImageView, ImageView]:
    """First seen at their URIs, or anywhere, which is what a direction may rest on."""
    first, second = (
        ImageView(
            one.uri,
            one.sha256,
            stored[one.image_id].fingerprint.width,
            stored[one.image_id].fingerprint.height,
            stored[one.image_id].fingerprint.format,
            one.first_seen_at if by_uri else stored[one.image_id].first_seen_at,
        )
        for one in seen
    )
    return first, second


def _of_tables(
    views: tuple[ImageView, ImageView],
    ids: tuple[int, int],
    decided: Decided,
    standing: Standing | None,
) -> Explanation:
    kept = Calibration.of_version(decided.calibration)
    calibration = kept or Calibration.for_model(decided.model)
    versions = Versions(
        model=decided.model,
        calibration=decided.calibration,
        at_hand=calibration.version,
        run_id=decided.run_id,
        settings_hash=decided.settings_hash,
        code=decided.code_version,
    )
    pair = _pair(views, ids, decided.match)
    return replace(_explanation(views, pair, None, versions, calibration), standing=standing)


def _judged_now(
    db: Connection,
    stores: Stores,
    settings: Settings,
    views: tuple[ImageView, ImageView],
    ids: tuple[int, int],
) -> Explanation:
    calibration = calibration_of(settings)
    versions = Versions(
        model=f"{stores.model.name}-{stores.model.version}",
        calibration=calibration.version,
        at_hand=calibration.version,
        run_id=None,
        settings_hash=settings.results_hash(),
        code=code_version(),
    )
    found, match = _judged(db, stores, settings, calibration, ids)
    pair = None if match is None else _pair(views, ids, match)
    return _explanation(views, pair, found, versions, calibration)


def _explanation(
    views: tuple[ImageView, ImageView],
    pair: PairView | None,
    found: Judged | None,
    versions: Versions,
    calibration: Calibration,
) -> Explanation:
    features = pair.evidence.get("features") if pair else found and found.ruling.features
    return Explanation(
        images=views,
        pair=pair,
        judged=found,
        derivation=derivation(features or {}, calibration),
        versions=versions,
    )


def _pair(views: tuple[ImageView, ImageView], ids: tuple[int, int], match: Match) -> PairView:
    derived, source = views if match.derived_id == ids[0] else views[::-1]
    return PairView(
        derived=derived,
        source=source,
        relation=str(match.relation),
        probability=match.probability,
        cosine=match.cosine,
        hash_distance=match.hash_distance,
        inliers=match.inliers,
        scale=match.scale,
        orientation=match.orientation,
        box=match.box,
        suppressed=match.suppressed,
        evidence=match.evidence,
        directed=match.evidence.get("direction") != "undetermined",
    )


# ── a pair that the tables have no match of ──────────────────────────────────────────────────


def _judged(
    db: Connection,
    stores: Stores,
    settings: Settings,
    calibration: Calibration,
    ids: tuple[int, int],
) -> tuple[Judged, Match | None]:
    """As a scan would, but also where it would not look."""
    near = _candidate(db, stores, settings, ids)
    candidate = near or _nearest(db, stores, ids)
    compared = compared_of(db, stores.model_id, [candidate])
    load_preview, load_keypoints = loaders(compared.sides, stores.previews, {})
    ruling = rule(
        candidate,
        compared,
        calibration=calibration,
        min_probability=settings.min_probability,
        load_preview=load_preview,
        load_keypoints=load_keypoints,
    )
    match = None
    if ruling.stop is None:
        # A ruling says what stops a pair, not how a match is described.
        means = Means.of(stores, calibration, settings)
        match = next(judged([candidate], compared, means), None)
    rank = near.rank if near else None
    return _held_to(settings, calibration, ids, candidate, ruling, rank), match


def _held_to(
    settings: Settings,
    calibration: Calibration,
    ids: tuple[int, int],
    candidate: Candidate,
    ruling: Ruling,
    rank: int | None,
) -> Judged:
    """With the limits that the pair was held to, its parts in the order of ``ids``."""
    return Judged(
        ruling=ruling,
        rank=rank,
        cosine=candidate.cosine,
        parts=candidate.parts if candidate.image_id == ids[0] else candidate.parts[::-1],
        top_k=settings.top_k,
        min_cosine=settings.min_cosine,
        search_cosine=calibration.search_cosine,
        min_probability=settings.min_probability,
    )


def _candidate(
    db: Connection, stores: Stores, settings: Settings, ids: tuple[int, int]
) -> Candidate | None:
    """The pair among the neighbours that both images have in the index now."""
    vectors = descriptors.vectors(db, stores.model_id, ids)
    missing = [i for i in ids if i not in vectors]
    if missing:
        name, uri = stores.model.name, images.uris(db, missing)[missing[0]]
        raise NotFound(f"{uri!r} is not described by the model {name}; `ris scan` does it")
    stored = images.by_ids(db, ids)
    described = Described.of(vectors, {i: stored[i].fingerprint.hashes.pdq for i in ids})
    near = stores.vectors.neighbours(described, settings.top_k + 1)
    found = pair_up(
        near, top_k=settings.top_k, min_cosine=settings.min_cosine, load=lambda _: vectors
    )
    ranked = ranked_unsettled(found, compared_of(db, stores.model_id, found), ids)
    return next((c for c in ranked if {c.image_id, c.other_id} == {*ids}), None)


def _nearest(db: Connection, stores: Stores, ids: tuple[int, int]) -> Candidate:
    """The pair as if each were the other's nearest."""
    one, two = sorted(ids)
    vectors = descriptors.vectors(db, stores.model_id, ids)
    cosine, part_one, part_two = nearest_parts(vectors[one], vectors[two])
    return Candidate(one, two, cosine, 0, (part_one, part_two))
