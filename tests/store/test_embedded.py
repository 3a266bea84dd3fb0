"""The embedded server is shared, survives its users, and stops with the last of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.faults.servers import until
from ris_jobs.errors import ConfigError, DatabaseUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store import embedded
from ris_jobs.store.postgres import open_engine

HOLD = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from ris_jobs.store import embedded
    with embedded.serve(Path(sys.argv[1])):
        print("up", flush=True)
        time.sleep(60)
    """
)


def server_pid(data: Path) -> int | None:
    file = data / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A path that is long and has a space, a quote and a letter beyond ASCII."""
    folder = tmp_path / ("it's a löng path " + "x" * 60)
    folder.mkdir()
    return folder


def test_two_processes_share_it_and_the_last_one_stops_it(home: Path) -> None:
    data = home / "postgres"
    with embedded.serve(data):
        pid = server_pid(data)
        other = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout and other.stdout.readline() == "up\n"
        assert server_pid(data) == pid
        # A user that is killed says nothing; the lock it held is gone all the same.
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert server_pid(data) is None


def test_a_killed_server_is_started_again_with_its_data(home: Path) -> None:
    settings = Settings(home=home)
    with open_engine(settings) as engine, engine.begin() as db:
        db.execute(text("CREATE TABLE public.kept AS SELECT 7 AS n"))
    with embedded.serve(home / "postgres"):
        pid = server_pid(home / "postgres")
        assert pid
        os.kill(pid, signal.SIGKILL)
    with open_engine(settings) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT n FROM public.kept")) == 7


def test_a_killed_server_is_started_again_while_it_is_used(home: Path) -> None:
    settings, data = Settings(home=home), home / "postgres"
    with embedded.serve(data) as sockets, open_engine(settings) as engine:
        assert embedded.lives(data)
        with engine.begin() as db:
            db.execute(text("CREATE TABLE public.kept AS SELECT 7 AS n"))
        pid = server_pid(data)
        assert pid
        os.kill(pid, signal.SIGKILL)
        until(lambda: not embedded.lives(data))
        until(lambda: revived(data))
        assert embedded.lives(data) and server_pid(data) != pid
        engine.dispose()
        with engine.connect() as db:
            assert db.scalar(text("SELECT n FROM public.kept")) == 7
        embedded.revive(data)  # of one that lives, nothing
        with embedded.serve(data) as again:
            assert again == sockets
    assert not embedded.lives(data)


def revived(data: Path) -> bool:
    """A session of the dead server may keep the new one from starting, until it notices."""
    try:
        embedded.revive(data)
    except DatabaseUnavailable:
        return False
    return True


def test_a_file_in_its_place_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("not a folder")
    with (
        pytest.raises(DatabaseUnavailable, match="RIS_DATABASE_URL"),
        open_engine(Settings(home=tmp_path)),
    ):
        pass


def test_a_server_that_does_not_answer_fails_at_once_without_its_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://me:hush@127.0.0.1:1/ris"
    with (
        pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1") as raised,
        open_engine(Settings(home=tmp_path, database_url=url)),
    ):
        pass
    assert "hush" not in str(raised.value)


def test_a_url_that_is_none_is_a_setting_error(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://host:notaport/x")
    with pytest.raises(ConfigError, match="RIS_DATABASE_URL"), open_engine(settings):
        pass


def test_a_server_lost_on_the_way_is_one_clear_error(settings: Settings) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="run the same command"),
        open_engine(settings) as engine,
        engine.connect() as db,
    ):
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
