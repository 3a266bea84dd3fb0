"""The export contracts: one TypedDict a table, and its columns in order.

``MATCH_COLUMNS`` and its siblings map each column's name to its type, in the order of the
contract; :func:`export.write` takes one of them. Names and order are fixed: people's scripts
read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, get_type_hints

Columns = Mapping[str, Any]
"""Column name → type of its values, in order."""

Box = tuple[float, float, float, float]


class MatchRow(TypedDict):
    """One pair, written derived → source. The tags are those that the sources which saw the two
    last have now."""

    run_id: int
    derived_uri: str
    source_uri: str
    derived_sha256: str
    source_sha256: str
    relation: str
    probability: float
    cosine: float
    hash_distance: int
    inliers: int | None
    scale: float
    orientation: int
    box: Box | None
    suppressed: str | None
    evidence: Mapping[str, Any]
    derived_tags: list[str]
    source_tags: list[str]


class ImageRow(TypedDict):
    """One URI and what was seen there; what decoding did not tell is None. ``source`` is the name
    of the source that saw it last, ``tags`` are those of that source now; from ``page`` on it is
    what the source's pages or list say of the image."""

    uri: str
    sha256: str | None
    width: int | None
    height: int | None
    format: str | None
    status: str
    reason: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    family_id: int | None
    is_source: bool | None
    source_uri: str | None
    source_confidence: float | None
    source: str | None
    tags: list[str]
    page: str | None
    title: str | None
    alt: str | None
    link: str | None
    published_at: datetime | None
    columns: Mapping[str, Any]


class FamilyRow(TypedDict):
    """Images tied to one source; ``source_uri`` is None when undetermined. ``model`` is the version
    of the weights that the verdict follows from, None where that was not noted yet;
    ``overwritten`` are URIs of images that no URI shows any more, for other content is there."""

    family_id: int
    source_uri: str | None
    confidence: float
    reasons: list[str]
    members: list[str]
    model: str | None
    overwritten: list[str]


class QuarantineRow(TypedDict):
    """One URI whose bytes cannot be used, and why."""

    uri: str
    sha256: str | None
    reason: str
    detail: str
    first_seen_at: datetime
    last_seen_at: datetime
    run_id: int


class HitRow(TypedDict):
    """One URI of an image near a known hash; ``label`` is None where the bank's file has none."""

    run_id: int
    bank: str
    label: str | None
    hash: str
    distance: int
    uri: str
    sha256: str


class RunRow(TypedDict):
    """One run and what it ran with; ``model`` and ``calibration`` are None for a crawl."""

    run_id: int
    kind: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    roots: list[str]
    model: str | None
    calibration: str | None
    config_hash: str
    code_version: str
    settings: Mapping[str, Any]
    summary: Mapping[str, Any]


MATCH_COLUMNS: Columns = get_type_hints(MatchRow)
IMAGE_COLUMNS: Columns = get_type_hints(ImageRow)
FAMILY_COLUMNS: Columns = get_type_hints(FamilyRow)
QUARANTINE_COLUMNS: Columns = get_type_hints(QuarantineRow)
HIT_COLUMNS: Columns = get_type_hints(HitRow)
RUN_COLUMNS: Columns = get_type_hints(RunRow)
