"""Report: one self-contained HTML page for a run."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine

from ris_jobs.errors import NotFound
from ris_jobs.report import html
from ris_jobs.report.pictures import thumbnail
from ris_jobs.report.views import RunView, from_json
from ris_jobs.store import reports, runs
from ris_jobs.store.previews import Previews

_MAX_PAIRS = 10_000
_THUMBNAIL_PX = 240


def report(engine: Engine, previews: Previews, run_id: int | None, out: Path) -> Path:
    """Write the page of a finished run (None: the newest scan) to ``out``, whole or not at all.

    Raises :class:`ris_jobs.errors.NotFound` when there is no such run.
    """
    view = _view(engine, run_id)

    def picture(sha256: str) -> bytes | None:
        data = previews.read(sha256)
        return thumbnail(data, _THUMBNAIL_PX) if data else None

    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as file:
        file.writelines(html.render(view, picture, max_pairs=_MAX_PAIRS))
    part.replace(out)
    return out


def _view(engine: Engine, run_id: int | None) -> RunView:
    with engine.connect() as db:
        run = runs.get(db, run_id)
        if not run["summary"]:
            raise NotFound(f"run {run['run_id']} has not finished, so there is nothing to report")
        return RunView(
            summary=from_json(run["summary"]),
            started_at=run["started_at"],
            finished_at=run["finished_at"],
            model=run["model"] or "",
            calibration=run["calibration"],
            config_hash=run["settings_hash"],
            code_version=run["code_version"],
            pairs=reports.pairs(db, run["run_id"], _MAX_PAIRS),
            families=reports.families(db),
            quarantine=reports.quarantine(db),
            # One more than the page shows, so that it can say there are more.
            known=reports.known(db, run["run_id"], html.MAX_KNOWN + 1),
        )
