"""Replay: judge a run's matches again, and find its families again, from what is stored, with what
the run was made with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import Connection, Engine

from ris_jobs.errors import NotFound
from ris_jobs.jobs.match import Means, compared_of, judged
from ris_jobs.jobs.pictures import samples_of
from ris_jobs.jobs.replay_verdicts import replay_verdicts
from ris_jobs.match import Candidate, Match
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.examine import SEARCHED
from ris_jobs.progress import Progress
from ris_jobs.report.replayed import Difference, Replayed, changes
from ris_jobs.rules import code_version
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, history, images, matches, runs
from ris_jobs.store.previews import Previews

Pair = frozenset[int]


def replay(
    engine: Engine, previews: Previews, settings: Settings, run_id: int, progress: Progress
) -> Replayed:
    """Judge again every pair that the run wrote, also if it was judged otherwise since, and
    compare; likewise every verdict. Nothing is written but keypoints that were lost.

    Descriptors, fingerprints and previews are those stored, samples those that there were at the
    run's end; model, calibration and settings those of the run. Which pairs the run looked at is
    not asked again: that depends on all images there were. Raises :class:`NotFound` for a run that
    matched nothing, or with coefficients that this version does not keep.
    """
    with engine.connect() as db:
        run = runs.get(db, run_id)
        end = history.run_end(db, run_id)
        calibration = _calibration(run_id, run["model"], run["calibration"])
        settings = settings.as_recorded(run["settings"])
        means = Means(previews, samples_of(engine, end), calibration, settings)
        rows, erased, found = 0, 0, list[Difference]()
        with progress.stage("replay", None) as advance:
            for kept in matches.of_run(db, run_id, end):
                here = _described(db, run["model_id"], kept)
                now = _again(db, run["model_id"], here, means)
                found += _differences(db, here, now)
                rows += len(here)
                erased += len(kept) - len(here)
                advance(len(kept))
        with progress.stage("verdicts", None) as advance:
            verdicts = replay_verdicts(db, run_id, advance)
    return Replayed(
        run_id=run_id,
        rows=rows,
        erased=erased,
        model=run["model"],
        calibration=calibration.version,
        config_hash=run["settings_hash"],
        code=run["code_version"],
        code_now=code_version(),
        differences=found,
        verdicts=verdicts,
    )


def _calibration(run_id: int, model: str | None, version: str | None) -> Calibration:
    if model is None:
        raise NotFound(f"run {run_id} matched nothing: it was a crawl")
    found = Calibration.of_version(version or "")
    if found is None:
        raise NotFound(
            f"run {run_id} was calibrated by {version}, which this version of ris-jobs does not "
            "keep: replay it with one that does (the oldest commit that `git log --all -S "
            f"{version} -- ris_jobs/match/calibration.json` lists is one); where newer versions "
            "have changed the database's tables since, on a backup from before"
        )
    return found


def _again(db: Connection, model_id: int, kept: Sequence[Match], means: Means) -> dict[Pair, Match]:
    """What the pairs are judged as now. Whether one was among the nearest, so that it was looked
    at longer, is not kept: it is judged as if it had been, and as if not where that differs."""
    near = _candidates(db, model_id, kept)
    compared = compared_of(db, model_id, near)
    found = {_pair(m): m for m in judged(near, compared, means)}
    differ = {_pair(m) for m in kept if _changed(m, found.get(_pair(m)))}
    far = [replace(c, rank=SEARCHED) for c in near if Pair((c.image_id, c.other_id)) in differ]
    others = {_pair(m): m for m in judged(far, compared, means)}
    same = {_pair(m) for m in kept if not _changed(m, others.get(_pair(m)))}
    return found | {pair: m for pair, m in others.items() if pair in same}


def _described(db: Connection, model_id: int, kept: Sequence[Match]) -> list[Match]:
    """Those of which both images are still described."""
    there = descriptors.commonness(db, model_id, {i for m in kept for i in _pair(m)})
    return [m for m in kept if _pair(m) <= there.keys()]


def _candidates(db: Connection, model_id: int, kept: Sequence[Match]) -> list[Candidate]:
    """The pairs with the cosine of the parts that were nearest then."""
    ids = {i for m in kept for i in (m.derived_id, m.source_id)}
    vectors = descriptors.vectors(db, model_id, sorted(ids))
    found = []
    for m in kept:
        parts = m.evidence["nearest_parts"]
        by_id = {m.derived_id: parts["derived"], m.source_id: parts["source"]}
        one, two = sorted(by_id)
        cosine = float(vectors[one][by_id[one]] @ vectors[two][by_id[two]])
        found.append(Candidate(one, two, cosine, 0, (by_id[one], by_id[two])))
    return found


def _differences(db: Connection, kept: Sequence[Match], now: dict[Pair, Match]) -> list[Difference]:
    changed = [m for m in kept if _changed(m, now.get(_pair(m)))]
    uris = images.uris(db, [i for m in changed for i in (m.derived_id, m.source_id)])
    return [
        Difference(
            uris[m.derived_id],
            uris[m.source_id],
            [] if (other := now.get(_pair(m))) is None else [*changes(_plain(m), _plain(other))],
        )
        for m in changed
    ]


def _changed(kept: Match, now: Match | None) -> bool:
    return now is None or any(True for _ in changes(_plain(kept), _plain(now)))


def _plain(match: Match) -> dict[str, object]:
    """As JSON has it, which is how evidence is kept."""
    values: dict[str, object] = json.loads(json.dumps(asdict(match)))
    return values


def _pair(match: Match) -> Pair:
    return Pair((match.derived_id, match.source_id))
