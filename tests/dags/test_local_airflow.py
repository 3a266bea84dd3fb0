"""`ris airflow`: a real scheduler crawls a site on two nights, survives kills, leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from sqlalchemy import text

from benchmarks.faults.orchestrator import ends, interrupt
from benchmarks.nights.airflow import Airflow, until
from ris_jobs import jobs, local_airflow
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.errors import AirflowUnavailable
from ris_jobs.local_airflow import environment, vectors
from ris_jobs.local_airflow.alone import alone
from ris_jobs.local_airflow.database import Database
from ris_jobs.settings import Settings
from ris_jobs.store import embedded
from ris_jobs.store.postgres import embedded_data, open_engine
from tests.crawl.web.site import Answer, Site, img, page, served
from tests.dags.conftest import DAGS
from tests.store.test_embedded import server_pid


@pytest.fixture
def airflow(tmp_path: Path) -> Iterator[Airflow]:
    with Airflow(tmp_path / "home") as running:
        yield running


@pytest.fixture
def site(airflow: Airflow) -> Iterator[Site]:
    """Without pictures; a source of the Airflow that runs."""
    with served({}) as site:
        source = site.source(contact="https://example.org/crawler")
        with open_engine(Settings(home=airflow.home)) as engine:
            jobs.add_source(engine, source)
        yield site


def show(site: Site, *names: str) -> None:
    """Put these photos on its page, and a thumbnail of each."""
    for name, photo in photos():
        if name in names:
            sizes = {name: photo, f"{name}-small": edits.thumbnail(photo, 160)}
            site.pages |= {
                f"/{n}.jpg": Answer(edits.jpeg(p, 92), "image/jpeg", headers={"ETag": f'"{n}"'})
                for n, p in sizes.items()
            }
    site.pages["/"] = page(img(*(path for path in site.pages if path.endswith(".jpg"))))


def found(home: Path) -> list[tuple[str, str, int]]:
    """Each match, with the run that found it."""
    settings = Settings(home=home)
    with open_engine(settings) as engine, engine.connect() as db:
        rows = db.execute(
            text("SELECT relation, derived_uri, run_id FROM ris.match_by_uri ORDER BY derived_uri")
        )
        return [(r, Path(u).name, n) for r, u, n in rows]


def fingerprinted(home: Path) -> int:
    """How many images, by all scans together."""
    with open_engine(Settings(home=home)) as engine, engine.connect() as db:
        done = "SELECT sum((summary -> 'images' ->> 'fingerprinted')::int) FROM ris.run"
        return int(db.execute(text(done)).scalar_one())


def test_a_secret_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    """The disk is as good as full while it is written."""
    file = tmp_path / "secret-key"
    program = (
        "import resource, sys; from pathlib import Path;"
        "from ris_jobs.local_airflow import environment;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
        "environment.secret(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", program, file], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "File too large" in done.stderr
    secret = environment.secret(file)
    assert len(secret) >= 32 and secret == environment.secret(file) == file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_only_usual_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timeout = "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT"

    def taken() -> str:
        return environment.variables(tmp_path, tmp_path, 8080, "socket")[timeout]

    assert taken() == "60"
    monkeypatch.setenv(timeout, "7")
    assert taken() == "7"


def test_a_home_that_was_moved_is_not_looked_for_where_it_was(tmp_path: Path) -> None:
    """Airflow's command writes its folders into a file of the home."""
    was, home = tmp_path / "was", tmp_path / "home"
    was.mkdir()
    program = """
from airflow.configuration import conf, write_default_airflow_configuration_if_needed
write_default_airflow_configuration_if_needed()
print(conf.as_dict(display_sensitive=True))
"""

    def known(at: Path) -> str:
        env = environment.variables(at, DAGS, 8080, "socket")
        done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    assert str(was) in known(was)
    was.rename(home)
    assert str(was) in (home / "airflow.cfg").read_text()
    assert str(was) not in known(home)


def test_a_postgresql_that_dies_is_started_again_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database, data = Database(tmp_path / "postgres"), tmp_path / "postgres"
    with database.running():
        database.revive()
        assert caplog.messages == []
        postmaster = server_pid(data)
        assert postmaster
        os.kill(postmaster, signal.SIGKILL)

        def back() -> bool:
            database.revive()
            return embedded.lives(data) and server_pid(data) != postmaster

        assert until(back)
    assert caplog.messages[-1] == f"PostgreSQL ended and was started again; its log is {data}/log"


def command(home: Path, *words: str) -> None:
    """Have `ris airflow` run a command of Airflow's own."""
    env = {n: v for n, v in os.environ.items() if not n.startswith("AIRFLOW")}
    ours = {"RIS_HOME": str(home), "PYTHONPATH": str(DAGS.parent)}
    ris = (sys.executable, "-m", "ris_jobs", "airflow", "--dags", DAGS, *words)
    subprocess.run(ris, env=env | ours, check=True, stdout=subprocess.DEVNULL)


def test_a_command_of_airflow_wants_a_home_where_it_ran(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(AirflowUnavailable, match="it has never run there"):
        local_airflow.run(Settings(home=home), DAGS, 8080, ["dags", "list"])
    assert not home.exists()
    # It began, and its database could not be prepared.
    (home / "airflow").mkdir(parents=True)
    (home / "airflow" / "prepare.log").touch()
    with pytest.raises(AirflowUnavailable, match="it has never run there"):
        local_airflow.run(Settings(home=home), DAGS, 8080, ["dags", "list"])


def test_a_command_uses_the_milvus_lite_of_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was killed is nothing; the port of the command need not be that of what runs."""
    monkeypatch.delenv("RIS_MILVUS_URI", raising=False)
    home, said = tmp_path / "airflow", tmp_path / "said"
    home.mkdir()
    (home / "api-server.log").touch()
    monkeypatch.setattr(environment, "program", lambda: sys.executable)
    code = "import os, sys; print(os.environ.get('RIS_MILVUS_URI'), file=open(sys.argv[1], 'w'))"

    def used() -> str:
        command = ["-c", code, str(said)]
        assert local_airflow.run(Settings(home=tmp_path), DAGS, 8080, command) == 0
        return said.read_text().strip()

    assert used() == "None"
    with alone(home), vectors.announced(home, "http://127.0.0.1:9001"):
        assert used() == "http://127.0.0.1:9001"
        kept = (home / "milvus-uri").read_text()
    assert used() == "None"
    (home / "milvus-uri").write_text(kept)  # killed, it would have stayed
    assert used() == "None"
    with alone(home), vectors.announced(home, None):
        assert used() == "None"


def outside(airflow: Airflow) -> set[str]:
    """Addresses that others than this machine could reach it at."""
    listening = {
        c.laddr
        for pid in airflow.processes()
        for c in psutil.Process(pid).net_connections("inet")
        if c.status == psutil.CONN_LISTEN
    }
    assert listening, "nothing is looked at"
    return {str(at) for at in listening if not _of(at.ip).is_loopback}


def _of(ip: str) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as one of IPv6 is that of IPv4."""
    address = ip_address(ip)
    return getattr(address, "ipv4_mapped", None) or address


@pytest.mark.slow(110)
def test_two_nights_on_a_real_scheduler(airflow: Airflow, site: Site) -> None:
    kept = airflow.home / "airflow" / "passwords.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert airflow.ask("/api/v2/importErrors")["total_entries"] == 0
    assert airflow.ask("/api/v2/pools/ris_crawl")["slots"] == 4

    show(site, "coffee", "rocket")
    night = airflow.night({"sources": ["site"]})
    first = found(airflow.home)
    assert [(r, n) for r, n, _ in first] == [
        ("thumbnail", "coffee-small.jpg"),
        ("thumbnail", "rocket-small.jpg"),
    ]
    (crawl,) = airflow.ask(
        f"/api/v2/dags/ris_crawl/dagRuns/{quote(night)}/taskInstances/crawl/listMapped"
    )["task_instances"]
    assert crawl["pool"] == "ris_crawl"
    assert "crawl: done, 4 images" in airflow.log("ris_crawl", night, "crawl", 0)

    # By an interpreter of its own, which logs where its task does.
    scans = airflow.ask("/api/v2/dags/ris_provenance_scan/dagRuns")["dag_runs"]
    logs = [airflow.log("ris_provenance_scan", s["dag_run_id"], "fingerprint", 0) for s in scans]
    said = re.findall(r"fingerprint: done, (\d+) images", "\n".join(logs))
    assert sum(map(int, said)) == 4

    assert fingerprinted(airflow.home) == 4
    assert outside(airflow) == set()
    command(airflow.home, "dags", "pause", "ris_upkeep", "--output", "json")
    assert airflow.ask("/api/v2/dags/ris_upkeep")["is_paused"]

    # A PostgreSQL and a scheduler that die are started again, with no hand.
    data = embedded_data(Settings(home=airflow.home))
    health = "/api/v2/monitor/health"
    postmaster, scheduler = server_pid(data), airflow.leader("scheduler")
    assert postmaster and scheduler
    os.kill(postmaster, signal.SIGKILL)
    os.killpg(scheduler, signal.SIGKILL)
    until(lambda: embedded.lives(data) and server_pid(data) != postmaster)
    until(lambda: airflow.leader("scheduler") not in (None, scheduler))
    until(lambda: airflow.ask(health)["metadatabase"]["status"] == "healthy")

    known = {*site.pages} - {"/"}
    site.log.clear()
    show(site, "chelsea")
    airflow.night({"sources": ["site"]})
    second = found(airflow.home)
    assert second[0][:2] == ("thumbnail", "chelsea-small.jpg")
    assert second[1:] == first, "what was known was worked on again"
    assert fingerprinted(airflow.home) == 6
    sent = {hit.path for hit in site.log if hit.status == 200} - {"/"}
    assert sent == {"/chelsea.jpg", "/chelsea-small.jpg"}
    assert known <= {hit.path for hit in site.log if hit.status == 304}

    # Ctrl-C in mid-work ends all of it.
    airflow.begin({"sources": ["site"]})
    until(airflow.working)
    assert ends(airflow, interrupt) == []
    assert airflow.processes() == [] and not embedded.lives(data)
