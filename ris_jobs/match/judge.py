"""The verdict on a pair: a typed, directed match with its evidence, or None."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from threadpoolctl import threadpool_limits

from ris_jobs.match import Candidate, Match, Side
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.compared import Compared
from ris_jobs.match.describe import Scored, describe, needs_samples
from ris_jobs.match.direction import linear_ratio
from ris_jobs.match.enlarged import is_enlarged, is_part_enlarged
from ris_jobs.match.examine import (
    Examined,
    LoadKeypoints,
    LoadPreview,
    Previews,
    Reached,
    examine,
)

__all__ = ["LoadSamples", "judge", "judge_many"]

LoadSamples = Callable[[Collection[int]], Mapping[int, bytes]]
"""From image ids to what :mod:`ris_jobs.fingerprint.sample` kept of them."""

# Candidates that a thread takes at a time: those of a few images.
_PART = 128


def judge(
    a: Side,
    b: Side,
    cosine: float,
    *,
    calibration: Calibration,
    min_probability: float,
    load_preview: LoadPreview,
) -> Match | None:
    """The match of two different images, the same whichever comes first; None where nothing
    confirms a copy, or its probability (0–1) is below ``min_probability`` and it is none of those
    that are suppressed for what they are. ``cosine`` −1…1 is that of their descriptors; previews
    are loaded only if hashes or cosine ask for them."""
    candidates = [Candidate(a.image_id, b.image_id, cosine)]
    found = judge_many(
        candidates,
        Compared.of(candidates, {a.image_id: a, b.image_id: b}),
        calibration=calibration,
        min_probability=min_probability,
        load_preview=load_preview,
    )
    return next(found, None)


def judge_many(
    candidates: Sequence[Candidate],
    compared: Compared,
    *,
    calibration: Calibration,
    min_probability: float,
    load_preview: LoadPreview,
    load_keypoints: LoadKeypoints | None = None,
    load_samples: LoadSamples | None = None,
    reached: Reached | None = None,
    workers: int = 1,
) -> Iterator[Match]:
    """:func:`judge` for many candidates that were ``compared``, faster where those of one image
    stand together: as many threads as ``workers`` take parts of them, without a say in what comes
    out, or in which order. Samples that sides lack are loaded for those pairs alone that are
    decided by them. How far candidates came is added to ``reached``."""
    previews, total = Previews(load_preview, load_keypoints), reached or Reached()
    judged = partial(
        _judged,
        compared=compared,
        calibration=calibration,
        min_probability=min_probability,
        previews=previews,
        load_samples=load_samples,
    )
    parts = [candidates[n : n + _PART] for n in range(0, len(candidates), _PART)]
    # OpenBLAS would start threads of its own, for matrices that are far too small for them.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers) as pool:
        for matches, came in pool.map(judged, parts):
            total.add(came)
            yield from matches


def _judged(
    candidates: Sequence[Candidate],
    compared: Compared,
    calibration: Calibration,
    min_probability: float,
    previews: Previews,
    load_samples: LoadSamples | None,
) -> tuple[list[Match], Reached]:
    reached, found = Reached(), list[Scored]()
    for examined in examine(candidates, compared, previews, calibration.search_cosine, reached):
        if examined is None:
            continue
        scored = Scored.of(examined, calibration)
        if scored.kept(min_probability):
            found.append(scored)
    if load_samples is not None:
        found = _with_samples(found, load_samples)
    return [describe(s, enlarged=_enlarged(s.examined, previews)) for s in found], reached


def _with_samples(found: Sequence[Scored], load: LoadSamples) -> list[Scored]:
    """The same, with the samples that those need whose sides lack them."""
    sides = [s for one in found if needs_samples(one.examined) for s in one.examined.sides]
    lacking = {s.image_id for s in sides if not s.fingerprint.sample}
    samples = load(lacking) if lacking else {}

    def filled(side: Side) -> Side:
        sample = samples.get(side.image_id, side.fingerprint.sample)
        return replace(side, fingerprint=replace(side.fingerprint, sample=sample))

    def complete(scored: Scored) -> Scored:
        one, two = scored.examined.sides
        return replace(scored, examined=replace(scored.examined, sides=(filled(one), filled(two))))

    return [complete(scored) for scored in found]


def _enlarged(examined: Examined, previews: Previews) -> bool | None:
    first, second = examined.sides
    one, two = first.fingerprint, second.fingerprint
    if examined.alignment.inside is not None:
        ids = {True: first.image_id, False: second.image_id}
        return is_part_enlarged(
            one, two, examined.alignment, lambda of_first: previews.load(ids[of_first])
        )
    larger = first if linear_ratio(one, two) > 1 else second
    return is_enlarged(one, two, lambda: previews.load(larger.image_id))
