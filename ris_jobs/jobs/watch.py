"""Watch: what is unusual about a run, by the nights before it."""

from __future__ import annotations

import logging
from dataclasses import replace

from sqlalchemy import Connection

from ris_jobs.report import anomalies
from ris_jobs.report.views import Summary, from_json
from ris_jobs.store import runs
from ris_jobs.store.runs import Run

__all__ = ["watched"]

_LOG = logging.getLogger("ris_jobs")


def watched(db: Connection, run: Run, summary: Summary) -> Summary:
    """The summary with the run's cosines, how far they drifted, and its anomalies, which are logged
    too."""
    cosines = runs.cosines(db, run.run_id, anomalies.LOWEST, anomalies.BINS)
    nights = runs.nights(db, run.run_id, anomalies.NIGHTS)
    before = [from_json(known) for _, known in nights]
    pause = run.started_at - nights[0][0] if nights and summary.fingerprinted else None
    now = replace(summary, cosines=cosines)
    said = anomalies.anomalies(now, before, pause)
    for sentence in said:
        _LOG.warning("unusual: %s", sentence)
    return replace(now, drift=anomalies.drift(now, before), anomalies=said)
