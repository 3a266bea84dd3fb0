"""Logs: one place that sets them up, for the command line and for the tasks of an orchestrator.

``RIS_LOG=json`` writes an object a line: ``time``, ``level``, ``logger``, ``message``, the ``run``
and ``stage`` it is of, and what the line itself knows (``image_id``, ``reason`` …). Passwords and
tokens of the settings are masked in both formats, wherever they come from.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from ris_jobs.settings import Settings

__all__ = ["about", "set_up", "tasks"]

_ABOUT: ContextVar[dict[str, Any]] = ContextVar("ris_log", default={})  # noqa: B039 never changed
_TEXT = "%(asctime)s %(name)s %(levelname)s %(message)s"
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"}


@contextmanager
def about(**known: Any) -> Iterator[None]:
    """Log lines within are about this: ``run=12``, ``stage="match"``."""
    token = _ABOUT.set({**_ABOUT.get(), **known})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def set_up(settings: Settings, *, verbose: bool) -> None:
    """For a program of our own: everything goes to stderr, from INFO where it is ``verbose`` or for
    machines, else from WARNING."""
    asked = verbose or settings.log == "json"
    handler = _handler(settings)
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])
    logging.getLogger("ris_jobs").setLevel(logging.INFO if asked else logging.WARNING)
    # Alembic and the drivers are of interest to those who ask for them only.
    if not verbose:
        logging.getLogger("alembic").setLevel(logging.ERROR)


def tasks(settings: Settings) -> None:
    """For a task of an orchestrator, which has logs of its own: ours are added to them, as JSON
    where that is asked for."""
    log = logging.getLogger("ris_jobs")
    log.setLevel(logging.INFO)
    if settings.log == "json":
        log.handlers[:] = [_handler(settings)]
        log.propagate = False


def _handler(settings: Settings) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    secrets = settings.secrets()
    handler.setFormatter(_Json(secrets) if settings.log == "json" else _Masked(secrets))
    return handler


class _Masked(logging.Formatter):
    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(_TEXT)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))

    def _mask(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


class _Json(_Masked):
    def format(self, record: logging.LogRecord) -> str:
        own = {name: value for name, value in vars(record).items() if name not in _USUAL}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_ABOUT.get(),
            **own,
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(self._masked(line), ensure_ascii=False, default=str)

    def _masked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Before they are JSON, which would write a secret's quotes and such in another way."""
        return {n: self._mask(v) if isinstance(v, str) else v for n, v in values.items()}
