"""The settings' model: as the tables know it, and loaded into a pipeline when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ris_jobs.fingerprint import descriptor
from ris_jobs.fingerprint.regions import Regions
from ris_jobs.match.calibration import Calibration
from ris_jobs.settings import Settings
from ris_jobs.store.runs import Model

if TYPE_CHECKING:
    from ris_jobs.fingerprint.pipeline import Pipeline


def model_of(settings: Settings) -> Model:
    """Name, version and pinned weights; nothing is loaded. :class:`ConfigError` if unknown."""
    spec = descriptor.spec(settings.model)
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
    return descriptor.spec(settings.model).regions


def calibration_of(settings: Settings) -> Calibration:
    """The probability coefficients fitted for the settings' model."""
    model = model_of(settings)
    return Calibration.for_model(f"{model.name}-{model.version}")


def open_pipeline(settings: Settings) -> Pipeline:
    """Load the weights and build the pipeline: seconds, so only when an image is waiting."""
    from ris_jobs.fingerprint.decoder import Limits
    from ris_jobs.fingerprint.pipeline import Pipeline

    return Pipeline(
        descriptor.load(settings.model, settings.weights),
        max_pixels=settings.max_pixels,
        truncated=settings.truncated,
        preview_size=settings.preview_size,
        regions=regions_of(settings),
        workers=settings.threads,
        limits=Limits(memory=settings.decode_memory << 20, seconds=settings.decode_seconds),
        anchors=settings.c2pa_anchors,
    )
