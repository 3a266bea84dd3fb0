"""Switch: let the model that stands beside serve, or look at what that would change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from ris_jobs.errors import ConfigError, GateClosed, NotFound
from ris_jobs.jobs.models import calibration_of, must_allow, naming
from ris_jobs.jobs.reindex import label
from ris_jobs.jobs.resolve import look_again
from ris_jobs.jobs.words import reason, reviewer
from ris_jobs.report import churn as values
from ris_jobs.report import churn_page
from ris_jobs.report.churn import Churn, Gate
from ris_jobs.report.pictures import thumbnail
from ris_jobs.report.text import plural
from ris_jobs.settings import Settings
from ris_jobs.store import churn, images, matches, runs, serving, shadow, suppression
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from ris_jobs.store.runs import Run
from ris_jobs.store.serving import Reindex

EXAMPLES = 50
_FAMILIES = 200
# Whose families are looked at together.
_PAIRS = 4096


@dataclass(frozen=True, slots=True)
class _Change:
    """From the model that serves to the one beside it."""

    reindex: Reindex
    former_id: int
    model_id: int

    @property
    def back(self) -> bool:
        return self.model_id == self.reindex.former_id


def churn_report(settings: Settings, page: Path | None) -> Churn:
    """What would change if the model beside served now: the change is made, looked at, and taken
    back. As a web page, too, where ``page`` is given."""
    with open_engine(settings) as engine:
        with engine.connect() as db, db.begin() as transaction:
            change = _open_change(db)
            matches.lock(db)
            _exchange(db, change, settings, None)
            found = _measured(db, change, settings)
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
                _exchange(db, change, settings, run.run_id)
                found = _measured(db, change, settings)
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


def _asked(db: Connection, back: bool) -> _Change:
    change = _open_change(db)
    if change.back != back:
        raise NotFound(_NOT_NOW[back])
    return change


_NOT_NOW = {
    False: "the new model serves already; `ris reindex rollback` puts the former one back",
    True: "the former model serves: there is nothing to put back",
}


def _open_change(db: Connection) -> _Change:
    reindex, served = serving.open_reindex(db), serving.current(db)
    if reindex is None or served is None:
        raise NotFound("no change of the model is open; `ris reindex start MODEL` opens one")
    return _Change(reindex, served.model_id, reindex.beside(served.model_id))


def _exchange(db: Connection, change: _Change, settings: Settings, run_id: int | None) -> None:
    """Matches, what suppresses them, and families, as of the model beside."""
    lost, now = shadow.exchange(db, change.former_id, change.model_id)
    suppression.settle(db, shadow.unsettled(db, [*lost, *now]), settings.hub_limit)
    unresolved = matches.unresolved(db)
    changed, looked_at = sorted({*lost, *unresolved}), set[int]()
    for start in range(0, len(changed), _PAIRS):
        pairs = [p for p in changed[start : start + _PAIRS] if not looked_at.issuperset(p)]
        if pairs:
            looked_at |= {*look_again(db, [i for pair in pairs for i in pair], run_id, pairs)}
    matches.set_resolved(db, unresolved)


def _measured(db: Connection, change: _Change, settings: Settings) -> Churn:
    """What the exchange changed."""
    moved = churn.moved(db, change.former_id)
    families = churn.families(db, _FAMILIES)
    counted = sum(m.pairs for m in moved if m.kind != "gained")
    lost = sum(m.pairs for m in moved if m.kind == "lost")
    return Churn(
        before=label(serving.model(db, change.former_id)),
        after=label(serving.model(db, change.model_id)),
        counted=counted,
        moved=moved,
        differences=churn.differences(db, change.former_id),
        quantiles=churn.quantiles(db, change.former_id),
        examples=churn.examples(db, change.former_id, EXAMPLES),
        families_before=churn.families_before(db),
        families_changed=families.altered,
        families_new=families.made,
        families_ended=families.ended,
        families=families.first,
        gate=_gate(db, change, settings, counted, lost),
    )


def _gate(db: Connection, change: _Change, settings: Settings, counted: int, lost: int) -> Gate:
    """What stands against the new model: it loses too much, is not complete, or a night is under
    way."""
    allowed = max(settings.gate_lost_floor, int(settings.gate_lost * counted))
    undescribed = images.count_undescribed(db, change.model_id, new=False)
    figures = serving.figures(db, change.model_id)
    unmatched = figures.described - figures.matched
    scans = serving.scans_under_way(db)
    problems = [
        (lost > allowed, f"{lost:,} of {counted:,} matches would be lost, {allowed:,} may be"),
        (undescribed, f"it has not described {plural(undescribed, 'image')}"),
        (unmatched, f"it has not matched {plural(unmatched, 'image')} (`ris reindex run`)"),
        (scans, f"run {scans[0] if scans else ''} has not finished (killed? see `ris upkeep`)"),
    ]
    return Gate(
        tuple(said for holds, said in problems if holds), lost, allowed, undescribed, unmatched
    )


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
