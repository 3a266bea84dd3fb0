"""A scan from end to end on real servers: what it finds, and that it does nothing twice."""

from __future__ import annotations

import io
import os
import shutil
import threading
import time
from contextlib import suppress
from copy import copy
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.crawl.directory import uri_of
from ris_jobs.demo import edits
from ris_jobs.errors import Unavailable, VectorsUnavailable
from ris_jobs.jobs.models import model_of, open_pipeline
from ris_jobs.match.candidates import Described
from ris_jobs.progress import LogProgress
from ris_jobs.report.views import Count, Pairs
from ris_jobs.settings import Settings
from ris_jobs.store import runs
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.stores import open_stores
from ris_jobs.store.vectors import Vectors
from tests.jobs.conftest import Scan, row_versions


def pairs(settings: Settings) -> set[tuple[str, str, str]]:
    """(derived name, relation, source name) of every match."""
    with open_engine(settings) as engine, engine.connect() as db:
        rows = db.execute(text("SELECT derived_uri, relation, source_uri FROM ris.match_by_uri"))
        return {(Path(d).name, r, Path(s).name) for d, r, s in rows}


def test_finds_the_thumbnail_and_the_same_bytes(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    summary = scan(folder)
    assert pairs(settings) == {
        ("small.jpg", "thumbnail", "coffee.jpg"),
        ("rocket-again.jpg", "identical", "rocket.jpg"),
    }
    assert (summary.seen, summary.new, summary.fingerprinted) == (4, 4, 3)
    assert summary.matches == {"identical": Count(1, 1), "thumbnail": Count(1, 1)}
    assert summary.pairs == Pairs(candidates=1, pixels=1, keypoints=0, confirmed=1)
    assert summary.report and Path(summary.report).stat().st_size > 1000


def test_a_second_scan_writes_no_row_and_no_vector(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    scan(folder)
    with open_stores(settings, model_of(settings)) as stores:
        before, vectors = row_versions(stores.engine), sorted(stores.vectors.ids())
    again = scan(folder)
    with open_stores(settings, model_of(settings)) as stores:
        after = row_versions(stores.engine)
        assert sorted(stores.vectors.ids()) == vectors
    # Observations say that they were seen again; nothing else is touched.
    seen_before, seen_after = before.pop("observation"), after.pop("observation")
    assert after == before
    assert len(seen_after) == len(seen_before)
    assert (again.new, again.unchanged, again.fingerprinted) == (0, 4, 0)
    assert all(count.new == 0 for count in again.matches.values())


def test_an_added_file_costs_only_that_file(
    scan: Scan, folder: Path, settings: Settings, coffee: Image.Image
) -> None:
    scan(folder)
    with open_engine(settings) as engine:
        before = row_versions(engine)
    (folder / "mirrored.jpg").write_bytes(edits.jpeg(edits.mirror(coffee)))
    summary = scan(folder)
    with open_engine(settings) as engine:
        after = row_versions(engine)
    assert summary.fingerprinted == 1
    assert {s.name: s.images for s in summary.stages}["match"] == 1
    for table in ("image", "descriptor"):
        assert len(after[table]) == len(before[table]) + 1
    assert {("mirrored.jpg", "mirrored", "coffee.jpg")} <= pairs(settings)


def test_a_removed_file_is_gone_but_kept_and_may_return(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    scan(folder)
    shutil.move(folder / "sub" / "small.jpg", tmp_path / "aside.jpg")
    assert scan(folder).gone == 1
    assert scan(folder).gone == 0
    assert ("small.jpg", "thumbnail", "coffee.jpg") in pairs(settings)
    shutil.move(tmp_path / "aside.jpg", folder / "sub" / "small.jpg")
    back = scan(folder)
    assert (back.changed, back.fingerprinted) == (1, 0)


def test_a_changed_file_keeps_its_history(
    scan: Scan, folder: Path, settings: Settings, rocket: Image.Image
) -> None:
    scan(folder)
    uri = uri_of(folder / "sub" / "small.jpg")
    (folder / "sub" / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 128)))
    assert scan(folder).changed == 1
    with open_engine(settings) as engine, engine.connect() as db:
        history = db.execute(
            text(
                "SELECT superseded_at IS NULL FROM ris.observation WHERE uri = :u "
                "ORDER BY observation_id"
            ),
            {"u": uri},
        )
        assert [r[0] for r in history] == [False, True]
    assert ("small.jpg", "thumbnail", "rocket.jpg") in pairs(settings)


def test_the_order_of_arrival_does_not_matter(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    late = tmp_path / "late"
    late.mkdir()
    shutil.move(folder / "coffee.jpg", late / "coffee.jpg")
    scan(folder)
    scan(late)
    assert ("small.jpg", "thumbnail", "coffee.jpg") in pairs(settings)


def test_a_scan_that_stopped_half_way_is_finished_by_the_next(
    scan: Scan, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as broken:
        broken.setattr(Vectors, "upsert", fail)
        with pytest.raises(RuntimeError, match="pulled the plug"):
            scan(folder)
    with open_engine(settings) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT status FROM ris.last_run")) == "failed"
    scan(folder)
    assert len(pairs(settings)) == 2


def test_nothing_is_said_to_be_in_an_index_that_was_made_anew_meanwhile(
    scan: Scan, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(folder)
    with open_stores(settings, model_of(settings)) as stores:
        night = replace(stores, vectors=copy(stores.vectors))
        rebuild = threading.Thread(target=jobs.rebuild_index, args=[stores])
        waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

        def upsert(described: Described) -> None:
            Vectors.upsert(night.vectors, described)
            rebuild.start()
            with stores.engine.connect() as other:
                while rebuild.is_alive() and not other.scalar(waits):
                    time.sleep(0.01)

        unindex = text("UPDATE ris.descriptor SET indexed_at = NULL")
        with stores.engine.begin() as db:
            db.execute(unindex)
        monkeypatch.setattr(night.vectors, "upsert", upsert)
        # What it would take after that batch is refused, or left for it by the rebuild.
        with suppress(VectorsUnavailable):
            jobs.index(night)
        rebuild.join()
        assert jobs.check_index(stores).missing == ()
        # And one that comes later does not go on with what is there no more.
        with stores.engine.begin() as db:
            db.execute(unindex)
        with pytest.raises(VectorsUnavailable, match="another collection took its place"):
            jobs.index(night)
        assert jobs.index(stores) == 3


@pytest.mark.parametrize("at_once", [1, 2, 3, 4])
def test_the_index_is_compared_some_ids_at_a_time(
    scan: Scan, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    scan(folder)
    module = import_module("ris_jobs.jobs.index")
    monkeypatch.setattr(module, "_COMPARED", at_once)
    with open_stores(settings, model_of(settings)) as stores:
        assert jobs.check_index(stores) == jobs.Drift(3, (), ())
        held = list[int]()
        indexed = module.descriptors.indexed

        def watched(*given: object) -> dict[int, int]:
            found: dict[int, int] = indexed(*given)
            held.append(len(found))
            return found

        monkeypatch.setattr(module.descriptors, "indexed", watched)
        ids = sorted({*stores.vectors.ids()})
        stores.vectors.delete([ids[1]])
        strays = np.ones((1, stores.model.dim), np.float32)
        stores.vectors.upsert(Described.of(dict.fromkeys((ids[-1] + 1, 999), strays)))
        expected = jobs.Drift(3, (ids[1],), (ids[-1] + 1, 999))
        assert jobs.check_index(stores) == expected
        assert sum(held) == 3 and max(held) <= at_once


def test_the_index_can_be_lost_and_rebuilt(scan: Scan, folder: Path, settings: Settings) -> None:
    scan(folder)
    with open_stores(settings, model_of(settings)) as stores:
        (first, *_) = stores.vectors.ids()
        stores.vectors.delete([first])
        stray = np.ones((1, stores.model.dim), np.float32)
        stores.vectors.upsert(Described.of({999: stray}))
        drift = jobs.check_index(stores)
        assert (drift.missing, drift.extra) == ((first,), (999,))
        assert jobs.rebuild_index(stores) == 3
        assert jobs.check_index(stores) == jobs.Drift(3, (), ())
    shutil.rmtree(settings.home / "milvus.db")
    summary = scan(folder)
    assert summary.fingerprinted == 0
    with open_stores(settings, model_of(settings)) as stores:
        assert jobs.check_index(stores) == jobs.Drift(3, (), ())


def test_pixel_limit_and_size_limit_quarantine(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    summary = scan(folder, settings=replace(settings, max_pixels=100_000))
    assert summary.quarantined["too-large"] == 3
    assert summary.fingerprinted == 1


BAD = {
    "empty.jpg": (b"", {"empty"}),
    "text.jpg": (b"just some words\n" * 20, {"not-an-image"}),
    "magic.jpg": (b"\xff\xd8\xff\xe0" + b"junk" * 50, {"corrupt", "truncated"}),
}


def test_bad_input_is_quarantined_with_a_reason_and_the_scan_goes_on(
    scan: Scan, folder: Path, settings: Settings, coffee: Image.Image
) -> None:
    whole = edits.jpeg(coffee)
    for name, (data, _) in BAD.items():
        (folder / name).write_bytes(data)
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "png-called.jpg").write_bytes(edits.png(edits.rotate(coffee, 90)))
    (folder / "folder.jpg").mkdir()
    (folder / "folder.jpg" / "in.jpg").write_bytes(edits.jpeg(edits.greyscale(coffee)))
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (1, 10000), "red").save(folder / "thin.png")
    (folder / "bomb.png").write_bytes(_bomb())
    names = [b"new\nline.jpg", b"quo\"te'.jpg", b"\xff\xfe.jpg", "naïve 图.jpg".encode()]
    for i, name in enumerate(names):
        data = edits.jpeg(edits.brightness(coffee, 1 + i / 20))
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(data)
    summary = scan(folder)
    with open_engine(settings) as engine, engine.connect() as db:
        rows = db.execute(text("SELECT uri, status, reason, detail FROM ris.image_by_uri")).all()
    by_name = {r.uri.rpartition("/")[2]: r for r in rows}
    for name, (_, reasons) in BAD.items():
        assert by_name[name].reason in reasons, by_name[name]
        assert by_name[name].detail
    assert by_name["cut.jpg"].reason == "truncated"
    assert by_name["bomb.png"].reason == "too-large"
    for name in ("png-called.jpg", "in.jpg", "new%0Aline.jpg", "%FF%FE.jpg", "quo%22te%27.jpg"):
        assert by_name[name].status == "ok", by_name[name]
    assert {by_name[n].status for n in ("dot.png", "thin.png")} <= {"ok", "quarantined"}
    assert len(rows) == summary.seen == 4 + len(BAD) + 6 + len(names)
    assert sum(summary.quarantined.values()) == sum(r.status == "quarantined" for r in rows)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_and_folders_are_quarantined(scan: Scan, folder: Path) -> None:
    (folder / "rocket.jpg").chmod(0)
    (folder / "sub").chmod(0)
    try:
        assert scan(folder).quarantined["unreadable"] == 2
    finally:
        (folder / "sub").chmod(0o755)


def test_bytes_that_vanish_between_crawl_and_fingerprint(
    folder: Path, settings: Settings, scan: Scan
) -> None:
    progress = LogProgress()
    jobs.crawl_only(settings, [folder], progress)
    kept = (folder / "coffee.jpg").read_bytes()
    (folder / "coffee.jpg").unlink()
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.begin() as db:
            run = runs.start(db, "scan", settings)
        jobs.fingerprint(stores, run, lambda: open_pipeline(settings), settings, progress)
    with open_engine(settings) as engine, engine.connect() as db:
        assert (
            db.scalar(text("SELECT reason FROM ris.image WHERE reason IS NOT NULL")) == "vanished"
        )
    (folder / "coffee.jpg").write_bytes(kept)
    assert scan(folder).fingerprinted == 1


def test_an_unreachable_server_fails_before_anything_is_done(
    folder: Path, settings: Settings, scan: Scan
) -> None:
    with pytest.raises(Unavailable):
        scan(folder, settings=replace(settings, milvus_uri="http://127.0.0.1:1"))


def test_steps_of_an_orchestrator_give_what_a_scan_gives(folder: Path, settings: Settings) -> None:
    progress = LogProgress()
    jobs.crawl_only(settings, [folder], progress)
    run_id = jobs.begin(settings)
    figures = {
        name: [jobs.step(name, settings, run_id, progress)]
        for name in ("fingerprint", "banks", "match", "resolve")
    }
    summary = jobs.finish(settings, run_id, figures)
    assert summary.matches == {"identical": Count(0, 1), "thumbnail": Count(1, 1)}
    assert [source.name for source in jobs.nightly(settings)] == ["photos"]


def test_a_step_that_failed_is_told_by_the_end(folder: Path, settings: Settings) -> None:
    jobs.crawl_only(settings, [folder], LogProgress())
    failed = jobs.begin(settings)
    jobs.finish(settings, failed, {"fingerprint": None})
    with open_engine(settings) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT status FROM ris.last_run")) == "failed"


def test_a_crawl_does_not_ask_again_for_what_a_scan_refused(
    folder: Path, settings: Settings
) -> None:
    (folder / "letter.jpg").write_bytes(b"no picture")
    for pending in (True, False):
        jobs.crawl_only(settings, [folder], LogProgress())
        with open_engine(settings) as engine, engine.connect() as db:
            waiting = "SELECT count(*) FROM ris.image WHERE status = 'pending'"
            assert bool(db.scalar(text(waiting))) is pending
        run_id = jobs.begin(settings)
        figures = {"fingerprint": [jobs.step("fingerprint", settings, run_id, LogProgress())]}
        jobs.finish(settings, run_id, figures)


def _bomb() -> bytes:
    """A PNG that says it is 50,000 × 50,000 pixels."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, io.SEEK_END)
    out.write(chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)))
    out.write(chunk(b"IEND", b""))
    return out.getvalue()
