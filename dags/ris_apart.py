"""Work of a task in an interpreter of its own.

Airflow forks a task's process from one that has run for long. CUDA cannot be used in a fork of a
process that used it, and a lock that another thread held stays locked; so what loads a model is
done in an interpreter that was started anew. It goes with its task: it is of the same group of
processes, and ends once the task's process is gone. What it logs goes to the task's log, and it has
its connections from where the task has them.
"""

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

# Airflow, where it is imported, is not to open its database, which no task may; its operators for
# other interpreters say it this way.
_WITHOUT_DATABASE = {"PYTHON_OPERATORS_VIRTUAL_ENV_MODE": "1"}


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """What ``work(*arguments)`` returns or raises; all of it must be such as can be pickled.

    RuntimeError where the process ends without an answer, or raises what cannot be brought here.
    """
    with _start() as child:
        assert child.stdin and child.stdout
        try:
            with suppress(BrokenPipeError):  # it says below how it ended
                child.stdin.write(pickle.dumps((work, arguments)))
                child.stdin.flush()
            answer = child.stdout.read()
            status = child.wait()
        except BaseException:  # a task that takes too long is ended by an exception
            child.kill()
            raise
    try:
        done, value = pickle.loads(answer)
    except (EOFError, pickle.UnpicklingError):
        said = f"the process that works for this task ended with {_ending(status)}"
        raise RuntimeError(said) from None
    if not done:
        raise value
    return value


def _start() -> subprocess.Popen[bytes]:
    """The process, with the socket that its task asks Airflow through."""
    supervisor = _supervisor()
    try:
        return subprocess.Popen(
            [sys.executable, __file__, *map(str, supervisor)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=supervisor,
            env=os.environ | _WITHOUT_DATABASE,
        )
    finally:
        for fd in supervisor:
            os.close(fd)


def _supervisor() -> list[int]:
    """That socket by another number, for it is what the task has as its stdin; none where it has no
    supervisor, as in ``dag.test()``."""
    from airflow.sdk.execution_time import task_runner

    socket = getattr(getattr(task_runner, "SUPERVISOR_COMMS", None), "socket", None)
    return [] if socket is None else [os.dup(socket.fileno())]


def _ending(status: int) -> str:
    if status == -signal.SIGKILL:
        return "SIGKILL: was it killed for want of memory?"
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


# ── the other process ──────────────────────────────────────────────────────────────────────────


def _serve(supervisor: list[str]) -> None:
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    _join(supervisor)
    work, arguments = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_the_task, daemon=True).start()
    _answer(answer, work, arguments)


def _join(supervisor: list[str]) -> None:
    """The task's log and connections."""
    from ris_common import task_settings

    if supervisor:
        from airflow.sdk.execution_time.task_runner import reinit_supervisor_comms

        os.environ["__AIRFLOW_SUPERVISOR_FD"] = supervisor[0]
        reinit_supervisor_comms()
    else:
        logging.basicConfig(level=logging.INFO)
    task_settings()


def _end_with_the_task() -> None:
    # Its end of the pipe is closed when the task's process is gone, however it went.
    os.read(0, 1)
    os._exit(1)


def _answer(answer: BinaryIO, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        said = pickle.dumps((True, work(*arguments)))
    except Exception as error:
        # Airflow's page leaves out the notes of an exception, which say where it was raised.
        logging.getLogger("ris_jobs").exception("this failed in a process of its own")
        said = pickle.dumps((False, _portable(error)))
    with answer:
        answer.write(said)


def _portable(error: Exception) -> Exception:
    """The error with where it was raised; as a RuntimeError if it cannot be made again from what it
    says."""
    raised = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(raised)
    return error


if __name__ == "__main__":
    _serve(sys.argv[1:])
