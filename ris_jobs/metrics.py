"""Metrics by OpenTelemetry, where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where they go.

Without that variable nothing of OpenTelemetry is imported. With it, the SDK's other variables hold
too (``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_RESOURCE_ATTRIBUTES`` …). A collector that is away costs
a job a few seconds, never more.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from ris_jobs import __version__
from ris_jobs.errors import ConfigError, Reason

__all__ = ["INSTRUMENTS", "Instrument", "add", "asked", "flush", "observe", "put", "timed"]

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TIMEOUT_S, _EVERY_MS = 2.0, 15_000


@dataclass(frozen=True, slots=True)
class Instrument:
    """``kind`` is counter, gauge or histogram; ``unit`` as UCUM writes it; ``by`` is what tells
    its series apart, ``of`` what each of these can be, for a counter."""

    kind: str
    unit: str
    by: tuple[str, ...]
    meaning: str
    of: tuple[tuple[str, ...], ...] = ()


_IMAGES, _RATIO, _RUN = "{image}", "1", ("kind", "status")
_STAGES = ("fingerprint", "match", "shadow match")
_REASONS = tuple(map(str, Reason))
_ENDS = ("crawl", "scan", "reindex", "upkeep"), ("done", "failed")
INSTRUMENTS = {
    "ris.images": Instrument(
        "counter", _IMAGES, ("stage",), "images that a stage is done with", (_STAGES,)
    ),
    "ris.quarantined": Instrument(
        "counter", _IMAGES, ("reason",), "images that were quarantined", (_REASONS,)
    ),
    "ris.runs": Instrument("counter", "{run}", _RUN, "runs that ended", _ENDS),
    "ris.run.rate": Instrument("gauge", "{image}/s", ("stage",), "images a second of the last run"),
    "ris.run.time": Instrument("gauge", "s", ("stage",), "how long stages of the last run took"),
    "ris.run.finished": Instrument("gauge", "s", _RUN, "when the last one ended, in Unix time"),
    "ris.run.match_rate": Instrument("gauge", _RATIO, (), "share of images that matched another"),
    "ris.run.quarantine_share": Instrument("gauge", _RATIO, (), "share of images quarantined"),
    "ris.run.drift": Instrument("gauge", _RATIO, (), "stability index of the cosines of pairs"),
    "ris.run.anomalies": Instrument("gauge", "{anomaly}", (), "how much is unusual about it"),
    "ris.queue.images": Instrument("gauge", _IMAGES, ("stage",), "images that wait for a stage"),
    "ris.queue.age": Instrument("gauge", "s", ("stage",), "how long the oldest has waited"),
    "ris.quarantine.uris": Instrument("gauge", "{uri}", ("reason",), "URIs in quarantine now"),
    "ris.vectors.duration": Instrument("histogram", "s", ("operation",), "calls to Milvus"),
    "ris.database.duration": Instrument("histogram", "s", ("verb",), "statements in PostgreSQL"),
}
# In seconds: a call on loopback takes a millisecond, one in trouble its whole timeout.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


def asked() -> bool:
    """Whether metrics go anywhere."""
    return bool(os.environ.get(_ENDPOINT))


def add(name: str, amount: float, **by: str) -> None:
    """To a counter."""
    if asked():
        _begin(os.getpid())
        _instrument(os.getpid(), name).add(amount, by)


def put(name: str, value: float | None, **by: str) -> None:
    """What a gauge shows now; None leaves it as it was."""
    if asked() and value is not None:
        _instrument(os.getpid(), name).set(value, by)


def observe(name: str, value: float, **by: str) -> None:
    """Into a histogram."""
    if asked():
        _instrument(os.getpid(), name).record(value, by)


@contextmanager
def timed(name: str, **by: str) -> Iterator[None]:
    """Observe how many seconds it takes, whether it succeeds or not."""
    started = time.perf_counter()
    try:
        yield
    finally:
        observe(name, time.perf_counter() - started, **by)


def flush() -> None:
    """Send what is not sent yet, for a process that may end without a word."""
    if not asked():
        return
    try:
        _provider(os.getpid()).force_flush(2_000 * _TIMEOUT_S)
    except Exception as error:  # the SDK's own; nothing of it may end a job
        logging.getLogger("ris_jobs").warning("metrics were not sent: %s", error)


@cache
def _begin(pid: int) -> None:
    """Send all counters as 0 before they count. Of one that a process first sends as 3, where there
    was none or another process left it at 3, Prometheus would not see that it grew."""
    for name, known in INSTRUMENTS.items():
        if known.kind == "counter":
            for of in product(*known.of):
                _instrument(pid, name).add(0, dict(zip(known.by, of, strict=True)))
    flush()


@cache
def _instrument(pid: int, name: str) -> Any:
    known = INSTRUMENTS[name]
    meter = _provider(pid).get_meter("ris_jobs", __version__)
    options: dict[str, Any] = {"unit": known.unit, "description": known.meaning}
    if known.kind == "histogram":
        options["explicit_bucket_boundaries_advisory"] = _BUCKETS
    return getattr(meter, f"create_{known.kind}")(name, **options)


@cache
def _provider(pid: int) -> Any:
    """One a process: its thread does not outlive a fork. Its end is :func:`flush`, not an exit
    that waits for a collector."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    except ImportError as error:
        raise ConfigError(_ENDPOINT, f"needs pip install 'ris-jobs[otel]' ({error})") from error
    exporter = OTLPMetricExporter(timeout=_TIMEOUT_S)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=_EVERY_MS)
    # One instance a machine: tasks that follow each other continue the same series.
    ours = Resource.create({"service.name": "ris-jobs", "service.instance.id": platform.node()})
    resource = ours.merge(OTELResourceDetector().detect())
    return MeterProvider([reader], resource, shutdown_on_exit=False)
