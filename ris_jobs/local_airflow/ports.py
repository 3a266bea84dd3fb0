"""Ports of this machine that programs are about to listen on."""

from __future__ import annotations

import errno
import socket

from ris_jobs.errors import AirflowUnavailable

__all__ = ["free"]


def free(*ports: int) -> None:
    """Raises :class:`AirflowUnavailable` where something listens on one of them, and with what
    the system says where it cannot be had for another reason. Airflow's pages would be those of
    another, and Milvus Lite would not mind: it would share the port, and have some of the calls."""
    for port in ports:
        with socket.socket() as one:
            # What was there until just now does not count.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError as error:
                fix = "Name another one by --port; the next one must be free, too."
                where = f"127.0.0.1:{port}"
                taken = error.errno == errno.EADDRINUSE
                problem = "another program listens there" if taken else str(error.strerror)
                raise AirflowUnavailable(where, problem, fix) from error
