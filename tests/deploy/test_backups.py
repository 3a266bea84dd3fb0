"""What docs/scale.md says of backups, done: by its own commands, on real servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.jobs.index import Drift
from ris_jobs.jobs.models import model_of
from ris_jobs.progress import LogProgress
from ris_jobs.report.views import Count
from ris_jobs.settings import Settings
from ris_jobs.store import embedded
from ris_jobs.store.postgres import upgrade
from ris_jobs.store.stores import open_stores
from tests.deploy.test_compose import ROOT
from tests.deploy.test_deploy import make_accounts

PAGE = (ROOT / "docs" / "scale.md").read_text("utf-8")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[URL]:
    """With the accounts and databases of docker-compose.yml."""
    with embedded.serve(tmp_path / "postgres") as sockets:
        query = {"host": str(sockets)}
        url = URL.create("postgresql+psycopg2", embedded.USER, database="postgres", query=query)
        assert make_accounts(url).returncode == 0
        yield url


DUMP, CHECK, RESTORE = "pg_dump ", "pg_restore --file", "pg_restore --username"


def in_postgres(server: URL, begin: str, folder: Path, check: bool = True) -> int:
    """Do what the page has the container of PostgreSQL do by the command that begins so; its exit
    status."""
    (line,) = re.findall(rf"^docker compose exec -T postgres ({begin}.+)$", PAGE, re.M)
    host = str(server.query["host"])
    binaries = Path(embedded.program("pg_dump", Path(host))).parent
    env = os.environ | {"PGHOST": host, "PATH": f"{binaries}:{os.environ['PATH']}"}
    return subprocess.run(line, shell=True, cwd=folder, env=env, check=check).returncode


def test_a_dump_replaces_what_a_newer_version_made(server: URL, tmp_path: Path) -> None:
    ours = create_engine(server.set(username="ris", database="ris"))
    with ours.begin() as db:
        upgrade(db)
        db.execute(text("INSERT INTO ris.bank (name, file) VALUES ('known', 'known.csv')"))
    in_postgres(server, DUMP, tmp_path)
    with ours.begin() as db:
        db.execute(text("CREATE TABLE ris.newer (bank_id bigint REFERENCES ris.bank)"))
        db.execute(text("UPDATE ris.bank SET name = 'lost'"))
    ours.dispose()
    in_postgres(server, CHECK, tmp_path)
    in_postgres(server, RESTORE, tmp_path)
    with ours.begin() as db:
        assert db.scalars(text("SELECT name FROM ris.bank")).all() == ["known"]
        assert db.scalar(text("SELECT to_regclass('ris.newer')")) is None
        upgrade(db)  # as its owner
    ours.dispose()
    theirs = create_engine(server.set(username="airflow", database="ris"))
    with pytest.raises(OperationalError, match="permission denied for database"):
        theirs.connect()


def test_a_dump_that_fails_leaves_the_one_before(server: URL, tmp_path: Path) -> None:
    in_postgres(server, DUMP, tmp_path)
    dump = tmp_path / "ris.dump"
    kept = dump.read_bytes()
    nowhere = server.set(query={"host": str(tmp_path)})
    assert in_postgres(nowhere, DUMP, tmp_path, check=False) != 0
    assert dump.read_bytes() == kept


def test_a_dump_that_was_cut_off_is_seen_before_it_is_restored(server: URL, tmp_path: Path) -> None:
    ours = create_engine(server.set(username="ris", database="ris"))
    with ours.begin() as db:
        upgrade(db)
    ours.dispose()
    in_postgres(server, DUMP, tmp_path)
    dump = tmp_path / "ris.dump"
    whole = dump.read_bytes()
    for size in (0, len(whole) // 2):
        dump.write_bytes(whole[:size])
        assert in_postgres(server, CHECK, tmp_path, check=False) != 0


def test_a_copy_of_the_embedded_default_goes_on_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RIS_HOME", raising=False)
    folder, backup = tmp_path / "in", tmp_path / "backup"
    folder.mkdir()
    _, photo = next(iter(photos()))
    (folder / "photo.jpg").write_bytes(edits.jpeg(photo, 92))
    (folder / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(photo, 128)))
    settings = Settings(workers=2)
    before = jobs.scan(settings, [folder], LogProgress())
    assert {name: count.new for name, count in before.matches.items()} == {"thumbnail": 1}
    (line,) = re.findall(r"^cp -a .+$", PAGE, re.M)
    line = line.replace("/backup/", f"{backup}/")
    # Where it is by default, and where it was told to be.
    for told in ({}, {"RIS_HOME": str(settings.home), "HOME": str(folder)}):
        shutil.rmtree(backup, ignore_errors=True)
        backup.mkdir()
        subprocess.run(line, shell=True, env=os.environ | told, check=True)
    shutil.rmtree(settings.home)
    (copy,) = backup.iterdir()
    copied = replace(settings, home=copy)
    with open_stores(copied, model_of(copied)) as stores:
        assert jobs.check_index(stores) == Drift(indexed=2, missing=(), extra=())
    again = jobs.scan(copied, [folder], LogProgress())
    assert (again.unchanged, again.fingerprinted, again.families) == (2, 0, 1)
    assert again.matches == {"thumbnail": Count(new=0, total=1)}
