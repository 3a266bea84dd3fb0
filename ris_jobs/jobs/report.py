"""Report: one self-contained HTML page for a run."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from ris_jobs.errors import NotFound
from ris_jobs.report import html
from ris_jobs.report.pictures import thumbnail
from ris_jobs.report.views import SUMMARISED, Count, RunView, Summary, from_json
from ris_jobs.store import banks, families, matches, reports, runs
from ris_jobs.store.previews import Previews

_MAX_PAIRS = 10_000


def report(engine: Engine, previews: Previews, run_id: int | None, out: Path) -> Path:
    """Write the page of a finished run (None: the newest scan) to ``out``, whole or not at all.

    Raises :class:`ris_jobs.errors.NotFound` when there is no such run, or none that reports.
    """
    view = _view(engine, run_id)

    def picture(sha256: str, side: int) -> bytes | None:
        data = previews.read(sha256)
        try:
            return thumbnail(data, side) if data else None
        except (OSError, ValueError, SyntaxError):  # it is damaged: the page says it has none
            return None

    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file:
        file.writelines(html.render(view, picture, max_pairs=_MAX_PAIRS))
    part.replace(out)
    return out


def counts(db: Connection, run_id: int) -> dict[str, Any]:
    """What a :class:`Summary` says of the tables: what they hold now, and how much of it the run
    found."""
    by_relation = matches.count_by_relation(db, run_id)
    by_bank = banks.count_images(db, run_id)
    return {
        "quarantined": reports.quarantined_by_reason(db),
        "matches": {r: Count(new, total) for r, (new, total) in by_relation.items()},
        "known": {name: Count(new, total) for name, (new, total) in by_bank.items()},
        "suppressed": sum(matches.count_suppressed(db).values()),
        "families": families.count(db),
    }


def _as_now(ended: Summary, now: dict[str, Any]) -> Summary:
    """The summary that the run ended with, and how many there are of everything now. What it found
    stays so, whatever reviewers and later runs said of it since."""
    before, after = ended.matches, now["matches"]
    matches = {
        relation: Count(
            before[relation].new if relation in before else 0,
            after[relation].total if relation in after else 0,
        )
        for relation in sorted({*before, *after})
    }
    return replace(ended, **now | {"matches": matches})


def _view(engine: Engine, run_id: int | None) -> RunView:
    # One look at the tables, so that counts and rows agree whatever happens meanwhile.
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as db:
        as_of = datetime.now(UTC)
        run = runs.get(db, run_id)
        if run["kind"] not in SUMMARISED:
            raise NotFound(f"run {run['run_id']} is of kind {run['kind']}, which has no report")
        if not run["summary"]:
            raise NotFound(f"run {run['run_id']} has not finished, so there is nothing to report")
        pairs = reports.pairs(db, run["run_id"], _MAX_PAIRS)
        return RunView(
            summary=_as_now(from_json(run["summary"]), counts(db, run["run_id"])),
            started_at=run["started_at"],
            finished_at=run["finished_at"],
            as_of=as_of,
            model=run["model"] or "",
            calibration=run["calibration"],
            config_hash=run["settings_hash"],
            code_version=run["code_version"],
            pairs=pairs,
            families=reports.families(db, {p.family_id for p in pairs if not p.suppressed}),
            # One more than the page shows, so that it can say there are more.
            quarantine=reports.quarantine(db, html.MAX_QUARANTINE + 1),
            known=reports.known(db, run["run_id"], html.MAX_KNOWN + 1),
            changes=reports.changes(db, run["run_id"], html.MAX_URIS),
            found=reports.found(db, run["run_id"]),
            histogram=reports.histogram(db, run["run_id"]),
        )
