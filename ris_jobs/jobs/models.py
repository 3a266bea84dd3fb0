"""The model at work: as settings and tables name it, and loaded into a pipeline when needed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ris_jobs.errors import ConfigError
from ris_jobs.fingerprint import descriptor
from ris_jobs.fingerprint.decoder import Limits
from ris_jobs.fingerprint.regions import Regions
from ris_jobs.match.calibration import Calibration
from ris_jobs.settings import Settings
from ris_jobs.store import serving
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.runs import Model
from ris_jobs.store.stores import Stores, stores_on

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline

USUAL = "builtin"
_LOG = logging.getLogger("ris_jobs")


@dataclass(frozen=True, slots=True)
class Beside:
    """The model of an open reindex that does not serve: its stores, and settings that name it.
    ``ready``: all images were matched by it once, and each night keeps it so."""

    stores: Stores
    settings: Settings
    ready: bool


@contextmanager
def serving_stores(settings: Settings) -> Iterator[tuple[Settings, Stores]]:
    """The stores of the model that serves, and the settings with that model named."""
    with open_engine(settings) as engine:
        with engine.connect() as db:
            settings = settled(db, settings)
        with stores_on(engine, settings, model_of(settings)) as stores:
            yield settings, stores


def settled(db: Connection, settings: Settings) -> Settings:
    """The settings with the model named that serves.

    Raises :class:`ConfigError` where they name another one, or this version lacks it.
    """
    served = serving.current(db)
    if served is None:
        return replace(settings, model=settings.model or USUAL)
    why = "but {0} serves: unset it, or change the model by `ris reindex start`"
    must_allow(settings, served.model, why)
    return naming(settings, served.model)


def keeps_model(db: Connection, settings: Settings) -> Settings:
    """As :func:`settled`, for runs that nobody watches: :class:`ConfigError` as well where they
    name another model than the last scan had. It would describe every image anew, in one night,
    and without a way back; only a scan by hand may."""
    last = serving.last_scanned(db)
    if serving.current(db) is None and last is not None:
        why = (
            "but images are described by {0}: unset it, or change the model by `ris reindex start`"
        )
        must_allow(settings, last, why)
    return settled(db, settings)


def must_allow(settings: Settings, model: Model, why: str) -> None:
    """Raise :class:`ConfigError` that says ``why`` where the settings name another model; ``{0}``
    stands for what they do not name."""
    for name, wanted, meant in (
        ("RIS_MODEL", settings.model, model.name),
        ("RIS_REGIONS", settings.regions, model.regions),
    ):
        if wanted not in (None, meant):
            raise ConfigError(name, f"is {wanted}, {why.format(meant)}")


def naming(settings: Settings, model: Model) -> Settings:
    """The settings that mean this model. Raises :class:`ConfigError` where this version does not
    have it."""
    own = str(descriptor.spec(model.name).regions)
    named = replace(
        settings, model=model.name, regions=None if model.regions == own else model.regions
    )
    here = model_of(named)
    if (here.version, here.weights_sha256) != (model.version, model.weights_sha256):
        raise ConfigError(
            "RIS_MODEL",
            f"{model.name}-{model.version} is not in this version of ris-jobs, which has "
            f"{here.name}-{here.version}: use the version before, or change the model by "
            f"`ris reindex start {here.name}`",
        )
    return named


def beside_of(stores: Stores, settings: Settings) -> Beside | None:
    """The model of an open reindex beside that of ``stores``, which serves; None where none is
    open, or this version lacks it: nights go on without it."""
    with stores.engine.connect() as db:
        reindex = serving.open_reindex(db)
        if reindex is None:
            return None
        model = serving.model(db, reindex.beside(stores.model_id))
    try:
        settings = naming(settings, model)
    except ConfigError as e:
        _LOG.warning("the model of the open reindex is left out: %s", e)
        return None
    return Beside(stores.beside(model), settings, reindex.ready_at is not None)


def model_of(settings: Settings) -> Model:
    """Name, version and pinned weights; nothing is loaded. :class:`ConfigError` if unknown."""
    spec = descriptor.spec(settings.model or USUAL)
    return Model(
        name=spec.name,
        version=spec.version,
        weights_sha256=spec.sha256,
        dim=spec.dim,
        input_size=spec.input_size,
        regions=str(regions_of(settings)),
    )


def regions_of(settings: Settings) -> Regions:
    """The parts of an image that are described: the settings' or else the model's own."""
    if settings.regions is not None:
        return Regions.parse(settings.regions)
    return descriptor.spec(settings.model or USUAL).regions


def calibration_of(settings: Settings) -> Calibration:
    """The probability coefficients fitted for the settings' model."""
    model = model_of(settings)
    return Calibration.for_model(f"{model.name}-{model.version}")


def limits_of(settings: Settings) -> Limits:
    """What decoding one image may take."""
    return Limits(memory=settings.decode_memory << 20, seconds=settings.decode_seconds)


def open_pipeline(settings: Settings) -> Pipeline:
    """Load the weights and build the pipeline: seconds, so only when an image is waiting. Raises
    :class:`ConfigError` for certificates that cannot be read."""
    from ris_jobs.fingerprint.anchors import count_anchors
    from ris_jobs.fingerprint.pipeline import Pipeline

    if settings.c2pa_anchors is not None:
        count_anchors(settings.c2pa_anchors)
    return Pipeline(
        descriptor.load(settings.model or USUAL, settings.weights, settings.device),
        max_pixels=settings.max_pixels,
        truncated=settings.truncated,
        preview_size=settings.preview_size,
        regions=regions_of(settings),
        workers=settings.threads,
        limits=limits_of(settings),
        anchors=settings.c2pa_anchors,
    )
