"""What the report, the terminal and the contact sheet show, as plain values.

The caller fills these from the tables. Pictures are not carried: :func:`html.render` asks
for each by its sha256, so that only those that fit on the page are ever loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

SUMMARISED = ("crawl", "scan")
"""Kinds of runs that have a :class:`Summary`; others have figures of their own."""

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as fractions 0–1 of width and height, origin top left."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are in all, and how many of them this run found."""

    new: int
    total: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """How far the pairs that a run judged came: all ``candidates``, those whose ``pixels`` and
    whose ``keypoints`` were compared, and those that an alignment ``confirmed``; of ``failed`` ones
    nothing is known but what the log says."""

    candidates: int = 0
    pixels: int = 0
    keypoints: int = 0
    confirmed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage of a run: wall-clock ``seconds`` and the ``images`` it worked on."""

    name: str
    seconds: float
    images: int

    @property
    def rate(self) -> float | None:
        """Images a second; None for a stage that did nothing or took no measurable time."""
        return self.images / self.seconds if self.images and self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures. ``quarantined`` counts by reason, ``matches`` by relation, ``known``
    images near a known hash by bank; suppressed pairs are counted apart, in ``suppressed`` only.
    ``report`` is the path of the HTML page.

    ``rejected`` counts the images that this run put into quarantine, ``matched`` those that it
    looked up and found a copy of. ``cosines`` are those of its pairs by bin, ``drift`` is how far
    these are from earlier nights' (None: too few to say), and ``anomalies`` says what is unusual:
    :mod:`ris_jobs.report.anomalies`."""

    run_id: str
    roots: tuple[str, ...]
    seen: int
    new: int
    changed: int
    unchanged: int
    gone: int
    fingerprinted: int
    quarantined: Mapping[str, int]
    matches: Mapping[str, Count]
    suppressed: int
    families: int
    stages: tuple[StageTime, ...]
    pairs: Pairs = Pairs()
    known: Mapping[str, Count] = field(default_factory=dict)
    report: str | None = None
    missed: int = 0
    refused: int = 0
    failed: int = 0
    rejected: int = 0
    matched: int = 0
    cosines: tuple[int, ...] = ()
    drift: float | None = None
    anomalies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageView:
    """One image at one URI; ``width`` and ``height`` in pixels, upright. ``gone_at`` is since when
    the URI shows it no more, None while it does, and where that was not asked; ``still_at`` another
    URI that shows it still, if there is one."""

    uri: str
    sha256: str
    width: int
    height: int
    format: str
    first_seen_at: datetime
    gone_at: datetime | None = None
    still_at: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a reviewer said of a pair: ``answer`` is copy, not-copy or unsure; ``why`` is in the
    reviewer's words."""

    answer: str
    who: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PairView:
    """One match, derived → source, with the fields of the match contract.

    ``directed`` is False when the evidence did not say which side is derived; ``new`` marks
    pairs that this run found; ``family_id`` ties the pair to a :class:`FamilyView`; ``decided``
    is the latest decision on it, None where nobody decided.
    """

    derived: ImageView
    source: ImageView
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
    family_id: str | None = None
    directed: bool = True
    new: bool = False
    decided: Decided | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that has a say in whether a match counts, and the ``reason`` it does not (None: it
    does). Decisions copy and not-copy go before all else, then the first that holds of: what was
    ``judged`` of the pair itself, a template that both images match, a ``hub`` inside the other,
    which lies inside so many ``hub_pictures``. ``decided`` is None where nobody decided."""

    reason: str | None
    judged: str | None
    template_uri: str | None
    hub: bool
    hub_pictures: int = 0
    decided: Decided | None = None


@dataclass(frozen=True, slots=True)
class FamilyView:
    """Images tied to one source; ``source_uri`` is None while undetermined. ``members`` are all
    URIs that showed one of its ``images`` (sha256) and were not overwritten since. ``model`` is
    the version of the weights that the verdict follows from, None where that is not known;
    ``weakest`` is relation and probability of the least probable pair that ties a member to the
    others."""

    family_id: str
    source_uri: str | None
    confidence: float
    reasons: tuple[str, ...]
    members: tuple[str, ...]
    images: tuple[str, ...]
    model: str | None = None
    weakest: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """One URI that could not be used; ``detail`` is a sentence for the person who reads it."""

    uri: str
    sha256: str | None
    reason: str
    detail: str
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class KnownView:
    """One URI of an image near a known hash: ``hash`` in hex, ``distance`` in bits (0–31);
    ``label`` comes from the bank's file. ``new`` marks what this run found."""

    uri: str
    sha256: str
    bank: str
    label: str | None
    hash: str
    distance: int
    new: bool = False


@dataclass(frozen=True, slots=True)
class UriChange:
    """At a URI something ``appeared``, ``changed``, ``returned`` or was ``gone``; ``sha256`` is
    what it showed, None for bytes that could not be read."""

    event: str
    uri: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """A family that is not what it was. ``before`` and ``after`` are how many images it had and
    has, 0 while it was not there; ``joined`` are URIs of images that came to it. The sources are
    None while there was none, or it was undetermined."""

    family_id: str
    before: int
    after: int
    joined: tuple[str, ...]
    source_before: str | None
    source_after: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened between the end of one scan, ``since`` (None: there was none before), and
    that of the run. ``events`` counts all, ``uris`` lists the first of each."""

    since: datetime | None
    since_run: str | None
    events: Mapping[str, int]
    uris: tuple[UriChange, ...]
    families: tuple[FamilyChange, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found: ``families`` that it made or changed and pairs that it left ``suppressed``,
    whatever became of them, and URIs that came into quarantine and are there, by reason. What came
    by crawls since the scan before counts as its own."""

    families: int = 0
    suppressed: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bin:
    """Matches of a run whose probability is from ``low`` to ``high``: those that count, and those
    that are ``suppressed``."""

    low: float
    high: float
    pairs: int
    suppressed: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its report shows it. What is counted of matches, families, known hashes and
    quarantine in its ``summary`` is so, as all else that is listed, ``as_of`` that time, but how
    many matches are new; ``found`` and ``histogram`` are of the run alone. ``pairs``
    are in the order they should first appear, suppressed ones among them; times are
    timezone-aware. ``calibration`` is None for a crawl. ``histogram`` goes from 0 to 1 in equal
    steps, or is empty."""

    summary: Summary
    started_at: datetime
    finished_at: datetime | None
    as_of: datetime
    model: str
    config_hash: str
    code_version: str
    pairs: tuple[PairView, ...]
    families: tuple[FamilyView, ...] = ()
    quarantine: tuple[QuarantineView, ...] = ()
    known: tuple[KnownView, ...] = ()
    calibration: str | None = None
    changes: Changes | None = None
    found: Found = Found()
    histogram: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of a search, best first. ``picture`` is the stored preview (JPEG bytes) or
    None; ``relation`` and ``probability`` are None for a search by similarity."""

    uri: str
    cosine: float
    relation: str | None = None
    probability: float | None = None
    picture: bytes | None = None


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as JSON values, for ``--json`` and logs."""
    return {
        "run_id": summary.run_id,
        "roots": list(summary.roots),
        "images": {
            name: getattr(summary, name)
            for name in (
                *("seen", "new", "changed", "unchanged", "gone", "missed", "refused", "failed"),
                "fingerprinted",
            )
        },
        "quarantined": dict(summary.quarantined),
        "matches": _counts_as_json(summary.matches),
        "pairs": asdict(summary.pairs),
        "known_hashes": _counts_as_json(summary.known),
        "suppressed": summary.suppressed,
        "families": summary.families,
        "stages": [
            {"name": s.name, "seconds": s.seconds, "images": s.images, "images_per_second": s.rate}
            for s in summary.stages
        ],
        "rejected": summary.rejected,
        "matched": summary.matched,
        "cosines": list(summary.cosines),
        "drift": summary.drift,
        "anomalies": list(summary.anomalies),
        "report": summary.report,
    }


def _counts_as_json(counts: Mapping[str, Count]) -> dict[str, dict[str, int]]:
    return {name: {"new": count.new, "total": count.total} for name, count in counts.items()}


def _counts(data: Mapping[str, Any]) -> dict[str, Count]:
    return {name: Count(count["new"], count["total"]) for name, count in data.items()}


def from_json(data: Mapping[str, Any]) -> Summary:
    """The summary that :func:`as_json` wrote; older runs know of no banks, pairs, failures or
    anomalies."""
    return Summary(
        run_id=data["run_id"],
        roots=tuple(data["roots"]),
        **data["images"],
        quarantined=data["quarantined"],
        matches=_counts(data["matches"]),
        pairs=Pairs(**data.get("pairs", {})),
        known=_counts(data.get("known_hashes", {})),
        suppressed=data["suppressed"],
        families=data["families"],
        stages=tuple(StageTime(s["name"], s["seconds"], s["images"]) for s in data["stages"]),
        report=data["report"],
        rejected=data.get("rejected", 0),
        matched=data.get("matched", 0),
        cosines=tuple(data.get("cosines", ())),
        drift=data.get("drift"),
        anomalies=tuple(data.get("anomalies", ())),
    )
