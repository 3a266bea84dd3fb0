"""`ris airflow` takes no port that somebody else listens on."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.faults.servers import Milvus
from ris_jobs import local_airflow
from ris_jobs.errors import AirflowUnavailable
from ris_jobs.local_airflow import ports
from ris_jobs.settings import Settings
from tests.dags.conftest import DAGS


def test_nothing_is_started_beside_the_milvus_lite_of_another_home(tmp_path: Path) -> None:
    """Milvus Lite itself would listen there, too."""
    with Milvus.serving(tmp_path / "milvus") as milvus:
        port = urlsplit(milvus.uri).port
        assert port
        for asked in (port, port - 1):
            said = rf"at 127\.0\.0\.1:{port} .*another program listens there.*--port"
            with pytest.raises(AirflowUnavailable, match=said):
                local_airflow.serve(Settings(home=tmp_path / "home"), DAGS, asked, print)
    assert not (tmp_path / "home" / "postgres").exists()


def test_a_port_is_free_as_soon_as_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        served, _ = server.accept()
        with pytest.raises(AirflowUnavailable):
            ports.free(port)
    served.close()  # and waits from now on for what may still come of the client
    client.close()
    ports.free(port)


def test_a_port_that_is_refused_for_another_reason_is_not_said_to_be_taken() -> None:
    """One of the first 1024, which only the administrator may take; ours may be that account."""
    program = (
        "import os\n"
        "from ris_jobs.errors import AirflowUnavailable\n"
        "from ris_jobs.local_airflow import ports\n"
        "os.getuid() or os.setuid(65534)\n"
        "try:\n    ports.free(1)\n"
        "except AirflowUnavailable as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Permission denied" in done.stdout, done.stderr
    assert "another program" not in done.stdout
