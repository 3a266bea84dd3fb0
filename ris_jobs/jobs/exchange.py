"""Exchange the matches that count for those of the model beside, and say what that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ris_jobs.errors import NotFound
from ris_jobs.jobs.reindex import label
from ris_jobs.jobs.resolve import look_again, take_in
from ris_jobs.report.churn import Churn, Gate
from ris_jobs.report.text import plural
from ris_jobs.settings import Settings
from ris_jobs.store import churn, images, serving, shadow, suppression
from ris_jobs.store.serving import Reindex

# Examples of each class, and families, that a report names.
_EXAMPLES, _FAMILIES = 50, 200
# Lost matches whose families are looked at together.
_PAIRS = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """From the model that serves to the one beside it."""

    reindex: Reindex
    former_id: int
    model_id: int

    @property
    def back(self) -> bool:
        return self.model_id == self.reindex.former_id


def open_change(db: Connection) -> Change:
    """The open one. Raises :class:`NotFound`."""
    reindex, served = serving.open_reindex(db), serving.current(db)
    if reindex is None or served is None:
        raise NotFound("no change of the model is open; `ris reindex start MODEL` opens one")
    return Change(reindex, served.model_id, reindex.beside(served.model_id))


def exchange(db: Connection, change: Change, settings: Settings, run_id: int | None) -> None:
    """Matches, what suppresses them, and families, as of the model beside, under
    :func:`ris_jobs.store.matches.lock`."""
    lost, now = shadow.exchange(db, change.former_id, change.model_id)
    suppression.settle(db, shadow.unsettled(db, [*lost, *now]), settings.hub_limit)
    _resolve(db, lost, run_id)


def _resolve(db: Connection, lost: Sequence[tuple[int, int]], run_id: int | None) -> None:
    """Families of all that lost, new and changed matches reach, part by part."""
    by_derived: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pair in lost:
        by_derived[pair[0]].append(pair)
    looked_at = set[int]()
    while part := take_in(db, run_id, by_derived):
        looked_at.update(part)
    for start in range(0, len(lost), _PAIRS):
        pairs = [p for p in lost[start : start + _PAIRS] if not looked_at.issuperset(p)]
        ids = [i for pair in pairs for i in pair]
        if ids:
            looked_at.update(look_again(db, ids, run_id, by_derived))


def measured(db: Connection, change: Change, settings: Settings) -> Churn:
    """What the exchange changed, in the same transaction."""
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
        examples=churn.examples(db, change.former_id, _EXAMPLES),
        families_before=churn.families_before(db),
        families_changed=families.altered,
        families_new=families.made,
        families_ended=families.ended,
        families=families.first,
        gate=_gate(db, change, settings, counted, lost),
    )


def _gate(db: Connection, change: Change, settings: Settings, counted: int, lost: int) -> Gate:
    """What stands against the new model: it loses too much, is not complete, or a night is under
    way."""
    allowed = max(settings.gate_lost_floor, int(settings.gate_lost * counted))
    undescribed, left_out, examples = images.count_lacking(db, change.model_id)
    figures = serving.figures(db, change.model_id)
    unmatched = figures.described - figures.matched
    scan = serving.scan_under_way(db)
    problems = [
        (lost > allowed, f"{lost:,} of {counted:,} matches would be lost, {allowed:,} may be"),
        (undescribed, f"it has not described {plural(undescribed, 'image')}"),
        (unmatched, f"it has not matched {plural(unmatched, 'image')} (`ris reindex run`)"),
        (scan, f"run {scan} has not finished (killed? `ris upkeep` closes it)"),
    ]
    return Gate(
        problems=tuple(said for holds, said in problems if holds),
        lost=lost,
        lost_allowed=allowed,
        undescribed=undescribed,
        unmatched=unmatched,
        left_out=left_out,
        left_out_first=examples,
    )
