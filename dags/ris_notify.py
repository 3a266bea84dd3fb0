"""Tell people of failed and unusual nights: JSON to a webhook, such as Slack's or Mattermost's.

``RIS_NOTIFY`` names an Airflow connection whose password is the webhook's URL, for whoever knows it
may post there. Without it nobody is told. What goes wrong here is logged and fails no task.
"""

import json
import logging
import os
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ris_servers import environment

if TYPE_CHECKING:
    from ris_jobs.settings import Settings

_TIMEOUT_S = 10
_LONGEST = 500


def failed(context: Any) -> None:
    """An ``on_failure_callback`` of tasks."""
    lines = str(context.get("exception") or "no reason is known").strip().splitlines()
    task = context["ti"]
    tell(context, f"{task.dag_id}: {task.task_id} failed", lines[:1])


def overdue(context: Any) -> None:
    """An ``on_failure_callback`` of DAGs: a run that takes longer than it may ends with its other
    tasks skipped, so that none of them tells. Of a run that failed, a task has told."""
    if context.get("reason") == "timed_out":
        said = f"{context['run_id']}: what was not done waits for the next run"
        tell(context, f"{context['dag'].dag_id}: it took too long and was ended", [said])


def late(context: Any, took: timedelta) -> None:
    """For a run that is not ended when it takes long: what follows it waited so long."""
    hours = took.total_seconds() / 3600
    said = f"{context['run_id']}: what follows it begins now. Has a source become slow?"
    tell(context, f"{context['dag'].dag_id}: it took {hours:.0f} hours", [said])


def tell(context: Any, title: str, lines: list[str]) -> None:
    """Post a title and lines about the task or run of the context, if anybody wants to know."""
    try:
        _post(context, title, lines)
    except Exception as error:
        # Its kind and an HTTP status, not its words: they may hold the URL.
        why = f"{type(error).__name__} {getattr(error, 'code', '')}".strip()
        logging.getLogger("ris_jobs").error("nobody could be told (%s): %s", why, title)


def _post(context: Any, title: str, lines: list[str]) -> None:
    settings = _settings()
    if settings.notify is None:
        return
    task = context.get("ti")
    said = [_masked(line, settings.secrets())[:_LONGEST] for line in lines]
    body = {
        "text": "\n".join([title, *said]),
        "dag_id": context["dag"].dag_id,
        "run_id": context["run_id"],
        "task_id": getattr(task, "task_id", None),
        "log_url": getattr(task, "log_url", None),
    }
    request = urllib.request.Request(
        _url(settings.notify), json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
        pass


def _settings() -> "Settings":
    """People are to be told of the setting or connection that cannot be used, which failed a
    task."""
    from ris_jobs.settings import Settings

    try:
        return Settings.usable(environment())
    except Exception:
        return Settings.usable(os.environ)


def _url(connection: str) -> str:
    from airflow.sdk import Connection

    url = str(Connection.get(connection).password)
    if not url.startswith(("https://", "http://")):
        raise ValueError("the connection's password is no URL of a webhook")
    return url


def _masked(line: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        line = line.replace(secret, "***")
    return line
