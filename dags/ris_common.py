"""What the DAG files share: defaults of their tasks, their settings, the asset that ties them."""

import ctypes
import os
import signal
import socket
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, get_current_context

from ris_notify import failed
from ris_servers import environment

if TYPE_CHECKING:
    from ris_jobs.settings import Settings

OBSERVED = Asset(name="ris_observed", uri="ris://observed")

# A task whose pool is not there waits for ever, so it is named only where there is one.
CRAWL_POOL = os.environ.get("RIS_CRAWL_POOL")

MOST_SCAN_TASKS = 64


def _scan_tasks() -> int:
    """Read here, for Settings would import too much for a file that is parsed again and again. Of
    what cannot be used, tasks tell when they read their settings; a file that fails to be parsed
    takes its DAG away, and nobody is told."""
    asked = os.environ.get("RIS_SCAN_TASKS") or "1"
    try:
        tasks = int(asked)
    except ValueError:
        return 1
    return tasks if 1 <= tasks <= MOST_SCAN_TASKS else 1


SCAN_TASKS = _scan_tasks()

_PR_SET_PDEATHSIG = 1

DEFAULT_ARGS = {
    "owner": "ris-jobs",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": [failed],
}


def parameters() -> dict[str, Any]:
    """The parameters of the run. Fails the task for good if the run was given one that its DAG does
    not have: Airflow takes whatever it is given, and the run would do what nobody
    asked for."""
    from airflow.sdk.exceptions import AirflowFailException

    context = get_current_context()
    known, given = list(context["dag"].params), context["dag_run"].conf or {}
    if unknown := [name for name in given if name not in known]:
        raise AirflowFailException(
            f"{context['dag'].dag_id} has no parameter {', '.join(map(repr, unknown))}: "
            f"it has {', '.join(known)}"
        )
    return dict(context["params"])


def began() -> datetime:
    """When this run of the DAG began; one that was cleared after its end begins again."""
    start: datetime = get_current_context()["dag_run"].start_date
    return start


def task_settings() -> "Settings":
    """Of a task's environment and connections; its logs are set up by them, and keep their secrets
    whoever writes there. From here on the task ends when it is told to, and with its supervisor."""
    from airflow.sdk.log import mask_secret

    from ris_jobs import logs
    from ris_jobs.settings import Settings

    _end_when_told()
    settings = Settings.from_env(environment())
    logs.tasks(settings)
    for secret in settings.secrets():
        mask_secret(secret)
    return settings


def _end_when_told() -> None:
    """A task that outlived its supervisor would work beside its own next try. Airflow's handler of
    SIGTERM lets it go on, and one of ours would wait while the task waits for PostgreSQL."""
    from airflow.sdk.execution_time import task_runner

    # What runs in its caller's process, as in ``dag.test()``, has no socket, and is not to end it.
    supervisor = getattr(getattr(task_runner, "SUPERVISOR_COMMS", None), "socket", None)
    if supervisor is not None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if _is_gone(supervisor):  # since before that was asked for
                os.kill(os.getpid(), signal.SIGKILL)


def _is_gone(peer: socket.socket) -> bool:
    """Whether nobody has the other end of a socket any more."""
    try:
        return not peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
