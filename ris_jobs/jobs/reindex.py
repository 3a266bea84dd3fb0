"""Reindex: describe and match all images by another model while the first serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from ris_jobs.errors import ConfigError, NotFound
from ris_jobs.jobs.fingerprint import Fingerprinted, fingerprint
from ris_jobs.jobs.match import Matched, match
from ris_jobs.jobs.models import calibration_of, model_of, naming, open_pipeline, settled
from ris_jobs.jobs.noted import noted
from ris_jobs.jobs.pace import Pace
from ris_jobs.jobs.words import reviewer
from ris_jobs.progress import Progress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, images, runs, serving, shadow
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.runs import Model, Run
from ris_jobs.store.serving import Choice, Figures, Reindex
from ris_jobs.store.stores import Stores, open_stores


@dataclass(frozen=True, slots=True)
class Status:
    """Which model ``serves``, and the open change of it, if any: the model ``beside``, whether it
    is the former one (``switched``), since when, how far it has come, and whether nights keep it
    complete (``ready``). ``choices`` are who chose which model, the last first."""

    serves: str
    beside: str | None = None
    switched: bool = False
    started_at: datetime | None = None
    started_by: str | None = None
    ready: bool = False
    figures: Figures | None = None
    choices: Sequence[Choice] = ()


@dataclass(slots=True)
class Reindexed:
    """What a run did; ``ready``: nothing is left to do."""

    fingerprinted: Fingerprinted = field(default_factory=Fingerprinted)
    matched: Matched = field(default_factory=Matched)
    ready: bool = False


def start_reindex(settings: Settings, name: str, regions: str | None, by: str | None) -> Status:
    """Let a model be filled beside the one that serves; ``regions`` are its own unless given.
    Where that is under way already, nothing is changed.

    Raises :class:`ConfigError` for a model that serves, or while another one is being filled.
    """
    who = reviewer(by)
    model = _asked(settings, name, regions)
    with open_engine(settings) as engine, engine.begin() as db:
        served = serving.current(db)
        former = served.model if served else model_of(settled(db, settings))
        if model == former:
            raise ConfigError("MODEL", f"{label(model)} serves already: there is nothing to do")
        former_id, model_id = runs.register_model(db, former), runs.register_model(db, model)
        reindex = serving.open_reindex(db)
        if reindex is None:
            _start(db, model_id, former_id, who, pin=served is None)
        elif reindex.beside(former_id) != model_id:
            open_one = label(serving.model(db, reindex.beside(former_id)))
            raise ConfigError(
                "MODEL",
                f"{open_one} stands beside {label(former)}, and one can at a time: "
                "`ris reindex abandon` gives it up",
            )
        return _status(db, former_id)


def _asked(settings: Settings, name: str, regions: str | None) -> Model:
    try:
        return model_of(replace(settings, model=name, regions=regions))
    except ValueError as e:
        raise ConfigError("--regions", f"must be such as 5+10, not {regions!r}") from e


def _start(db: Connection, model_id: int, former_id: int, who: str, *, pin: bool) -> None:
    if pin:
        serving.choose(db, former_id, who, "it was the model of the settings")
    # What it matched at another time is not among its matches now.
    shadow.clear(db, model_id)
    descriptors.forget_matched(db, model_id)
    serving.start(db, model_id, former_id, who)


def run_reindex(settings: Settings, pace: Pace, progress: Progress) -> Reindexed:
    """Describe what the model beside lacks, and once nothing is left, match it. What is done
    stands in the rows: killed anywhere, the next run goes on."""
    with open_engine(settings) as engine, engine.connect() as db:
        reindex, model = _beside(db)
        settings = naming(settings, model)
    total = Reindexed()
    with open_stores(settings, model) as stores:
        calibration = calibration_of(settings)
        with stores.engine.begin() as db:
            run = runs.start(
                db,
                "reindex",
                settings,
                model_id=stores.model_id,
                calibration=calibration.version,
            )
        with noted(stores.engine, run, total):
            _work(stores, run, settings, pace, progress, total, reindex)
    return total


def _work(
    stores: Stores,
    run: Run,
    settings: Settings,
    pace: Pace,
    progress: Progress,
    total: Reindexed,
    reindex: Reindex,
) -> None:
    pipeline = partial(open_pipeline, settings)
    total.fingerprinted = fingerprint(
        stores, run, pipeline, settings, progress, new=False, pace=pace
    )
    # The order of matching decides what is found at the margin: as in a scan, it comes last.
    if not pace.next(1, total.fingerprinted.images):
        return
    with stores.engine.begin() as db:
        images.leave_out(db, stores.model_id, run.run_id)
    calibration = calibration_of(settings)
    total.matched = match(stores, run, calibration, settings, progress, apart=True, pace=pace)
    if pace.next(1, total.matched.images):
        total.ready = True
        with stores.engine.begin() as db:
            serving.set_ready(db, reindex.reindex_id)


def reindex_status(settings: Settings) -> Status:
    """Which model serves, and how far another one has come."""
    with open_engine(settings) as engine, engine.begin() as db:
        served = serving.current(db)
        if served is None:
            return Status(label(model_of(settled(db, settings))))
        return _status(db, served.model_id)


def abandon_reindex(settings: Settings) -> Status:
    """Give up the model beside the one that serves: its collection, its matches, and, if it never
    served, its descriptors. What serves stays as it is."""
    with open_engine(settings) as engine, engine.connect() as db:
        reindex, model = _beside(db)
    with open_stores(settings, model) as stores:
        stores.vectors.drop(stores.vectors.collection)
        with stores.engine.begin() as db:
            serving.close(db, reindex.reindex_id)
            shadow.clear(db, stores.model_id)
            runs.set_collection(db, stores.model_id, None)
            if serving.ever_served(db, stores.model_id):
                descriptors.forget_index(db, stores.model_id)
            else:
                descriptors.forget(db, stores.model_id)
    return reindex_status(settings)


def label(model: Model) -> str:
    """As people name it: with its regions, for they make another model."""
    return f"{model.name}-{model.version} {model.regions}"


def _beside(db: Connection) -> tuple[Reindex, Model]:
    """The open reindex, and the model of it that does not serve."""
    reindex, served = serving.open_reindex(db), serving.current(db)
    if reindex is None or served is None:
        raise NotFound("no change of the model is open; `ris reindex start MODEL` opens one")
    return reindex, serving.model(db, reindex.beside(served.model_id))


def _status(db: Connection, serving_id: int) -> Status:
    status = Status(label(serving.model(db, serving_id)), choices=tuple(serving.log(db)))
    reindex = serving.open_reindex(db)
    if reindex is None:
        return status
    beside_id = reindex.beside(serving_id)
    return replace(
        status,
        beside=label(serving.model(db, beside_id)),
        switched=beside_id == reindex.former_id,
        started_at=reindex.started_at,
        started_by=reindex.who,
        ready=reindex.ready_at is not None,
        figures=serving.figures(db, beside_id),
    )
