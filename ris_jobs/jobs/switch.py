"""Switch: let the model that stands beside serve, or look at what that would change."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from ris_jobs.errors import ConfigError, GateClosed, NotFound
from ris_jobs.jobs.exchange import Change, exchange, measured, open_change
from ris_jobs.jobs.models import calibration_of, must_allow, naming
from ris_jobs.jobs.words import reason, reviewer
from ris_jobs.report import churn as values
from ris_jobs.report import churn_page
from ris_jobs.report.churn import Churn
from ris_jobs.report.pictures import thumbnail
from ris_jobs.settings import Settings
from ris_jobs.store import matches, runs, serving
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from ris_jobs.store.runs import Run


def churn_report(settings: Settings, page: Path | None) -> Churn:
    """What would change if the model beside served now: the change is made, looked at, and taken
    back. As a web page, too, where ``page`` is given."""
    with open_engine(settings) as engine:
        with engine.connect() as db, db.begin() as transaction:
            change = open_change(db)
            matches.lock(db)
            exchange(db, change, settings, None)
            found = measured(db, change, settings)
            transaction.rollback()
        if page is not None:
            _write(found, settings, page)
    return found


def switch(settings: Settings, why: str | None, by: str | None, *, force: bool = False) -> Churn:
    """Let the new model serve, in one transaction, if the gate holds or is ``force``\\ d.

    Raises :class:`GateClosed`, and :class:`NotFound` where the new model serves already.
    """
    if force and why is None:
        raise ConfigError("--why", "is needed with --force: it is kept")
    return _switch(settings, why or "the gate held", by, back=False, force=force)


def switched(settings: Settings, since: datetime) -> bool:
    """Whether a switch since then was made, though it may have been killed before it could say so.
    What retries one is to ask this first."""
    with open_engine(settings) as engine, engine.begin() as db:
        return serving.end_switch(db, since)


def rollback(settings: Settings, why: str, by: str | None) -> Churn:
    """Let the former model serve again, likewise; no gate is asked."""
    return _switch(settings, why, by, back=True, force=True)


def _switch(settings: Settings, why: str, by: str | None, *, back: bool, force: bool) -> Churn:
    why, who = reason(why), reviewer(by)
    with open_engine(settings) as engine:
        with engine.begin() as db:
            run = _begin(db, settings, back)
        status, summary = "failed", dict[str, object]()
        try:
            with engine.begin() as db:
                matches.lock(db)
                change = _asked(db, back)
                exchange(db, change, settings, run.run_id)
                found = measured(db, change, settings)
                summary = _summary(found)
                problems = () if back else found.gate.problems
                if problems and not force:
                    raise GateClosed(problems)
                serving.choose(db, change.model_id, who, why, gate=problems, run_id=run.run_id)
            status = "done"
        finally:
            # After all that was written, so that it is what is believed as of this run.
            with engine.begin() as db:
                runs.finish(db, run, status, summary)
    return found


def _begin(db: Connection, settings: Settings, back: bool) -> Run:
    model_id = _asked(db, back).model_id
    model = serving.model(db, model_id)
    must_allow(settings, model, "and no scan would run once {0} serves: unset it first")
    named = naming(settings, model)
    version = calibration_of(named).version
    return runs.start(db, "reindex", named, model_id=model_id, calibration=version)


def _asked(db: Connection, back: bool) -> Change:
    change = open_change(db)
    if change.back != back:
        raise NotFound(_NOT_NOW[back])
    return change


_NOT_NOW = {
    False: "the new model serves already; `ris reindex rollback` puts the former one back",
    True: "the former model serves: there is nothing to put back",
}


def _summary(found: Churn) -> dict[str, object]:
    told = values.as_json(found)
    return {"churn": {name: told[name] for name in told if name not in ("examples", "families")}}


def _write(found: Churn, settings: Settings, page: Path) -> None:
    previews = open_previews(settings)

    def picture(sha256: str, side: int) -> bytes | None:
        data = previews.read(sha256)
        return thumbnail(data, side) if data else None

    page.parent.mkdir(parents=True, exist_ok=True)
    part = page.with_name(f"{page.name}.{os.getpid()}.part")
    part.write_text(churn_page.render(found, picture), encoding="utf-8")
    part.replace(page)
