"""Upkeep puts right what time leaves behind; what is erased stays so."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine, text

from benchmarks.faults.servers import until
from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.errors import NotFound, Unavailable
from ris_jobs.fingerprint import Decoded, Lacking, Trace
from ris_jobs.fingerprint.decoder import Decoder
from ris_jobs.fingerprint.pipeline import Pipeline, Result
from ris_jobs.jobs import Upkept
from ris_jobs.jobs.models import open_pipeline, serving_stores
from ris_jobs.match.candidates import Described
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, matches
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from tests.jobs.conftest import Scan


def ask(settings: Settings, question: str) -> list[tuple[Any, ...]]:
    with open_engine(settings) as engine, engine.begin() as db:
        result = db.execute(text(question))
        return [tuple(row) for row in result] if result.returns_rows else []


def keep_up(settings: Settings, *, dry_run: bool = False) -> Upkept:
    return jobs.keep_up(settings, LogProgress(), dry_run=dry_run)


def vectors_of(settings: Settings) -> list[int]:
    with serving_stores(settings) as (_, stores):
        return sorted(set(stores.vectors.ids()))


def sha256_of(settings: Settings, name: str) -> str:
    return str(
        ask(settings, f"SELECT sha256 FROM ris.image_by_uri WHERE uri LIKE '%/{name}'")[0][0]
    )


def waiting(engine: Engine, settings: Settings) -> dict[str, int]:
    return {w.stage: w.images for w in jobs.status(engine, settings).waiting if w.images}


def test_all_is_in_order_after_a_scan(settings: Settings, folder: Path, scan: Scan) -> None:
    scan(folder)
    assert keep_up(settings) == Upkept()


def test_what_the_stores_lost_or_should_not_have_is_put_right(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    before = vectors_of(settings)
    previews = open_previews(settings)
    lost, gone = sha256_of(settings, "coffee.jpg"), sha256_of(settings, "rocket.jpg")
    kept = previews.read(lost)
    with serving_stores(settings) as (_, stores):
        stores.vectors.delete([before[0]])
        stray = np.eye(1, stores.model.dim, dtype=np.float32)
        stores.vectors.upsert(Described.of({999: stray}, {999: bytes(32)}))
    previews.delete(lost)
    previews.delete(gone)
    (folder / "rocket.jpg").unlink()
    (folder / "sub" / "rocket-again.jpg").unlink()
    previews.write("ab" * 32, b"of no image")
    left = settings.home / "previews" / "ab" / "x.jpg.1.2.part"
    left.touch()
    os.utime(left, (time.time() - 90_000,) * 2)
    found = Upkept(
        vectors_removed=1,
        vectors_restored=1,
        previews_removed=1,
        previews_restored=1,
        previews_missing=1,
        files_removed=1,
    )
    assert keep_up(settings, dry_run=True) == found
    assert 999 in vectors_of(settings) and previews.read(lost) is None and left.exists()
    assert keep_up(settings) == found
    assert vectors_of(settings) == before
    assert previews.read(lost) == kept
    assert previews.read("ab" * 32) is None and not left.exists()
    assert keep_up(settings) == Upkept(previews_missing=1)


def test_what_came_while_vectors_were_lost_is_matched_with_them(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    (late := folder / "sub" / "small.jpg").rename(folder.parent / "small.jpg")
    scan(folder)
    sha256 = sha256_of(settings, "coffee.jpg")
    ((coffee,),) = ask(settings, f"SELECT image_id FROM ris.image WHERE sha256 = '{sha256}'")
    with serving_stores(settings) as (_, stores):
        stores.vectors.delete([coffee])
    (folder.parent / "small.jpg").rename(late)
    assert "thumbnail" not in scan(folder).matches
    assert keep_up(settings) == Upkept(vectors_restored=1)
    assert scan(folder).matches["thumbnail"].new == 1


def test_what_cannot_be_described_again_is_not_in_quarantine(
    settings: Settings, folder: Path, scan: Scan, caplog: pytest.LogCaptureFixture
) -> None:
    scan(folder)
    sha256 = sha256_of(settings, "coffee.jpg")
    (folder / "coffee.jpg").unlink()
    open_previews(settings).delete(sha256)
    ask(settings, "DELETE FROM ris.descriptor")
    with caplog.at_level("INFO", "ris_jobs"):
        summary = scan(folder)
    assert (summary.fingerprinted, summary.rejected) == (2, 0)
    (said,) = [record for record in caplog.records if hasattr(record, "sha256")]
    assert "cannot be described" in said.getMessage() and said.sha256 == sha256
    assert "2 images are fingerprinted, 0 quarantined" in caplog.messages
    # It waits for its bytes; once it is retired, for nothing.
    with open_engine(settings) as engine:
        assert waiting(engine, settings) == {"describe": 1}
        ask(settings, f"UPDATE ris.image SET retired_at = now() WHERE sha256 = '{sha256}'")
        assert waiting(engine, settings) == {}


def test_lost_previews_are_made_again_some_at_a_time_and_each_for_itself(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pipeline, with a fault planted at one picture."""
    for number in range(40):
        picture = Image.new("RGB", (8, 8), (6 * number, 0, 0))
        (folder / f"{number}.png").write_bytes(edits.png(picture))
    bad = (folder / "rocket.jpg").read_bytes()
    settings = replace(settings, batch_size=1)
    jobs.scan(settings, [folder], LogProgress())
    shutil.rmtree(settings.home / "previews")
    opened, sizes = list[Settings](), list[int]()

    def open_faulty(settings: Settings) -> Pipeline:
        opened.append(settings)
        pipeline = open_pipeline(settings)
        run = pipeline.run

        def fail_at_one(files: Sequence[bytes]) -> list[Result]:
            sizes.append(len(files))
            if bad in files:
                raise ArithmeticError("the planted fault")
            return run(files)

        monkeypatch.setattr(pipeline, "run", fail_at_one)
        return pipeline

    monkeypatch.setattr("ris_jobs.jobs.upkeep.open_pipeline", open_faulty)
    assert keep_up(settings) == Upkept(previews_restored=42, previews_missing=1)
    assert len(opened) == 1 and max(sizes) == 1


def lose_samples(settings: Settings) -> dict[str, bytes]:
    """As of a database of before samples were taken. Returns what there was, by sha256."""
    samples = ask(settings, "SELECT sha256, sample FROM ris.image ORDER BY image_id")
    ask(settings, "UPDATE ris.image SET sample = ''")
    ask(settings, "INSERT INTO ris.late_sample (image_id) SELECT image_id FROM ris.image")
    return {sha256: bytes(sample) for sha256, sample in samples}


def test_samples_that_were_never_taken_are_made_up_for_where_bytes_are_there(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    Image.new("CMYK", (40, 40)).save(folder / "none.jpg")
    scan(folder)
    before = lose_samples(settings)
    gone, kept = sha256_of(settings, "coffee.jpg"), (folder / "coffee.jpg").read_bytes()
    (folder / "coffee.jpg").unlink()
    assert keep_up(settings, dry_run=True) == Upkept(samples_waiting=4)
    assert keep_up(settings) == Upkept(samples_made=3, samples_missing=1)
    found = ask(settings, "SELECT sha256, sample FROM ris.image")
    assert {sha256: bytes(sample) for sha256, sample in found} == before | {gone: b""}
    written = ask(settings, "SELECT xmin::text, t::text FROM ris.late_sample t ORDER BY 2")
    assert keep_up(settings) == Upkept(samples_missing=1)
    assert ask(settings, "SELECT xmin::text, t::text FROM ris.late_sample t ORDER BY 2") == written
    # It is back; what is made up for is not looked at again.
    (folder / "coffee.jpg").write_bytes(kept)
    assert keep_up(settings) == Upkept(samples_made=1)
    assert keep_up(settings) == Upkept()
    found = ask(settings, "SELECT sha256, sample FROM ris.image")
    assert {sha256: bytes(sample) for sha256, sample in found} == before
    assert before[gone]


def test_samples_are_made_up_for_some_at_a_time_and_what_is_gone_comes_last(
    settings: Settings, folder: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(folder)
    lose_samples(settings)
    (folder / "coffee.jpg").unlink()
    monkeypatch.setattr("ris_jobs.jobs.samples.MOST", 2)
    one = replace(settings, batch_size=1)
    first, last = keep_up(one), keep_up(one)
    assert (first.samples_waiting, first.samples_missing) == (1, 1)
    assert (last.samples_waiting, last.samples_missing) == (0, 1)
    assert first.samples_made + last.samples_made == 2


def test_a_sample_that_could_not_be_taken_is_looked_for_again(
    settings: Settings, folder: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(folder)
    lose_samples(settings)
    broken = (folder / "coffee.jpg").read_bytes()

    def open_faulty(*args: Any, **kwargs: Any) -> Callable[[bytes], Decoded]:
        decoder = Decoder(*args, **kwargs)

        def decode(data: bytes) -> Decoded:
            if data != broken:
                return decoder(data)
            failed = Lacking(Trace.SAMPLE, "ValueError of a library")
            return replace(decoder(data), sample=b"", lacking=(failed,))

        return decode

    with monkeypatch.context() as patched:
        patched.setattr("ris_jobs.jobs.samples.Decoder", open_faulty)
        assert keep_up(settings) == Upkept(samples_made=2, samples_missing=1)
    assert keep_up(settings) == Upkept(samples_made=1)


def test_an_image_that_is_erased_waits_for_no_sample(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    lose_samples(settings)
    jobs.erase(settings, str(folder / "coffee.jpg"), "a test", "me")
    assert ask(settings, "SELECT count(*) FROM ris.late_sample") == [(2,)]
    assert keep_up(settings) == Upkept(samples_made=2)


def test_an_image_that_is_retired_waits_for_no_sample_until_it_is_back(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    lose_samples(settings)
    coffee, waiting = folder / "coffee.jpg", "SELECT count(*) FROM ris.late_sample"
    kept = coffee.read_bytes()
    coffee.unlink()
    scan(folder)
    ask(
        settings,
        "UPDATE ris.observation SET first_seen_at = first_seen_at - interval '20 days', "
        "last_seen_at = last_seen_at - interval '20 days', gone_at = gone_at - interval '20 days' "
        "WHERE gone_at IS NOT NULL",
    )
    done = keep_up(replace(settings, retention_days=10))
    assert (done.images_retired, done.samples_made, done.samples_missing) == (1, 2, 0)
    assert ask(settings, waiting) == [(2,)]
    coffee.write_bytes(kept)
    scan(folder)
    assert ask(settings, f"{waiting} WHERE made_at IS NULL") == [(1,)]
    assert keep_up(settings).samples_made == 1


def test_runs_that_were_killed_are_closed_after_a_while(settings: Settings) -> None:
    killed, _ = jobs.begin(settings), jobs.begin(settings)
    # Filling a model may take 14 days.
    slow = "INSERT INTO ris.run (kind, settings, settings_hash, code_version, started_at) "
    slow += "SELECT 'reindex', settings, settings_hash, code_version, now() - interval '{} days' "
    for days in (16, 14):
        ask(settings, slow.format(days) + f"FROM ris.run WHERE run_id = {killed}")
    ask(
        settings,
        f"UPDATE ris.run SET started_at = now() - interval '3 days' WHERE run_id = {killed}",
    )
    assert keep_up(settings).runs_closed == 2
    states = ask(settings, "SELECT kind, status FROM ris.run ORDER BY run_id")
    assert states == [
        ("scan", "failed"),
        ("scan", "running"),
        ("reindex", "failed"),
        ("reindex", "running"),
        ("upkeep", "done"),
    ]
    asked = jobs.keep_up(settings, LogProgress(), dry_run=True, killed_after=timedelta(hours=0))
    assert asked.runs_closed == 2


def test_upkeep_is_a_run_that_says_what_it_did_also_of_one_that_failed(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    open_previews(settings).write("ab" * 32, b"of no image")
    keep_up(settings, dry_run=True)
    keep_up(settings)
    with pytest.raises(Unavailable):
        keep_up(replace(settings, milvus_uri="http://127.0.0.1:1"))
    figures = "status, (summary ->> 'previews_removed')::int"
    upkeep = f"SELECT {figures} FROM ris.run WHERE kind = 'upkeep' ORDER BY run_id"
    assert ask(settings, upkeep) == [("done", 1), ("failed", 0)]
    # Its own run is not among those that are closed.
    assert jobs.keep_up(settings, LogProgress(), killed_after=timedelta()) == Upkept()


def test_what_has_been_gone_for_long_is_retired_and_can_come_back(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    small = (folder / "sub" / "small.jpg").read_bytes()
    sha256 = sha256_of(settings, "small.jpg")
    facts = "SELECT derived_id, source_id, relation, probability, evidence::text FROM ris.match"
    families = "SELECT source_uri, members FROM ris.family_by_uri"
    before = ask(settings, facts), ask(settings, families), vectors_of(settings)
    (folder / "sub" / "small.jpg").unlink()
    scan(folder)
    keeping = replace(settings, retention_days=10)
    assert keep_up(keeping) == Upkept()
    ask(
        settings,
        "UPDATE ris.observation SET first_seen_at = first_seen_at - interval '20 days', "
        "last_seen_at = last_seen_at - interval '20 days', gone_at = gone_at - interval '20 days' "
        "WHERE gone_at IS NOT NULL",
    )
    assert keep_up(settings) == Upkept()
    done = Upkept(images_retired=1, vectors_removed=1, previews_removed=1)
    assert keep_up(keeping, dry_run=True).images_retired == 1
    assert keep_up(keeping) == done
    assert open_previews(settings).read(sha256) is None
    assert len(vectors_of(settings)) == 2
    # A night leaves it so; what was found of it stays, and can be replayed as far as it goes.
    assert scan(folder).fingerprinted == 0
    assert (ask(settings, facts), ask(settings, families)) == before[:2]
    with open_engine(settings) as engine:
        replayed = jobs.replay(engine, open_previews(settings), settings, 1, LogProgress())
    assert (replayed.rows, replayed.erased, replayed.differences) == (0, 1, [])
    # Once it is there again it is described again, and has a preview.
    (folder / "sub" / "small.jpg").write_bytes(small)
    assert scan(folder).fingerprinted == 1
    assert open_previews(settings).read(sha256) is not None
    assert (ask(settings, facts), ask(settings, families), vectors_of(settings)) == before
    assert keep_up(keeping) == Upkept()


def test_what_was_erased_does_not_come_back_by_itself(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    sha256 = sha256_of(settings, "small.jpg")
    uri = (folder / "sub" / "small.jpg").as_uri()
    match = ask(settings, "SELECT derived_id, relation, probability FROM ris.match")
    done = jobs.erase(settings, uri, "they asked us to", "me")
    assert (done.uri, done.sha256, done.allow_return) == (uri, sha256, False)
    (kept,) = ask(settings, f"SELECT to_jsonb(i) FROM ris.image i WHERE sha256 = '{sha256}'")[0]
    own = {"image_id", "sha256", "byte_size", "status", "first_seen_at", "run_id", "since"}
    nothing = (None, "\\x")  # no bytes
    assert {name for name, value in kept.items() if value not in nothing} == own
    assert kept["status"] == "erased"
    assert len(vectors_of(settings)) == 2
    assert not [*(settings.home / "previews").rglob(f"{sha256}*")]
    assert len(ask(settings, "SELECT FROM ris.descriptor")) == 2
    assert ask(settings, "SELECT derived_id, relation, probability FROM ris.match") == match
    assert ask(settings, "SELECT FROM ris.family") == []
    assert ask(settings, "SELECT who, why FROM ris.erasure") == [("me", "they asked us to")]
    with open_engine(settings) as engine:
        (told,) = jobs.history(engine, settings, sha256, None).erasures
    assert (told.sha256, told.who, told.returns) == (sha256, "me", False)
    # Neither where it still is nor at another place.
    (folder / "again.jpg").write_bytes((folder / "sub" / "small.jpg").read_bytes())
    assert scan(folder).fingerprinted == 0
    assert keep_up(settings) == Upkept()
    status = f"SELECT DISTINCT status FROM ris.image_by_uri WHERE sha256 = '{sha256}'"
    assert ask(settings, status) == [("erased",)]
    with open_engine(settings) as engine, pytest.raises(NotFound, match="was erased"):
        jobs.decide(engine, settings, uri, str(folder / "coffee.jpg"), "copy", "x", "me")
    # Now it may.
    jobs.erase(settings, sha256, "they changed their mind", "me", allow_return=True)
    assert scan(folder).fingerprinted == 1
    assert ask(settings, status) == [("ok",)]
    assert len(ask(settings, "SELECT FROM ris.family")) == 1


def test_what_an_erasure_does_to_a_family_is_told_with_its_cause(
    settings: Settings, folder: Path, scan: Scan, coffee: Image.Image
) -> None:
    (folder / "third.jpg").write_bytes(edits.jpeg(edits.thumbnail(coffee, 200)))
    scan(folder)
    for name, why in (("sub/small.jpg", "they asked"), ("coffee.jpg", "they asked again")):
        jobs.erase(settings, str(folder / name), why, "me")
    told = ask(
        settings,
        "SELECT event, other_id, uri, who, why, cause, run_id FROM ris.family_log ORDER BY at",
    )
    small, whole = (folder / "sub" / "small.jpg").as_uri(), (folder / "coffee.jpg").as_uri()
    assert told == [
        ("shrank", None, small, "me", "they asked", "erasure", None),
        ("ended", None, whole, "me", "they asked again", "erasure", None),
    ]
    with open_engine(settings) as engine:
        seen = jobs.history(engine, settings, str(folder / "third.jpg"), None).family_events
    assert [(e.kind, e.erased_by, e.erased_why) for e in seen] == [
        ("shrank", "me", "they asked"),
        ("ended", "me", "they asked again"),
    ]


def test_erasing_what_is_being_matched_waits_and_stands_in_no_ones_way(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    """Of a batch that is matched rows are taken first, then the lock of matches."""
    scan(folder)
    ask(settings, "UPDATE ris.descriptor SET matched_at = NULL")
    coffee = str(folder / "coffee.jpg")
    with open_engine(settings) as engine, ThreadPoolExecutor(1) as beside:
        with engine.begin() as db:
            (model_id,) = db.scalars(text("SELECT DISTINCT model_id FROM ris.descriptor"))
            assert len(descriptors.claim_unmatched(db, model_id, 10).ids) == 3
            erased = beside.submit(jobs.erase, settings, coffee, "a test", "me")
            until(lambda: waits(engine), 240)
            db.execute(text("SET LOCAL lock_timeout = '2s'"))
            matches.lock(db)
        assert erased.result(240).why == "a test"


def waits(engine: Engine) -> bool:
    """Whether anybody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with engine.connect() as db:
        return bool(db.scalar(text(waiting)))


def test_an_erased_image_is_erased_under_all_models(
    settings: Settings, folder: Path, scan: Scan, coffee: Image.Image
) -> None:
    scan(folder)
    jobs.start_reindex(settings, "builtin", "0+0", "me")
    jobs.run_reindex(settings, jobs.Pace(), LogProgress())
    jobs.erase(settings, str(folder / "coffee.jpg"), "a test", "me")
    with serving_stores(replace(settings)) as (_, stores):
        beside = stores.beside(replace(stores.model, regions="0+0"))
        assert len({*stores.vectors.ids()}) == len({*beside.vectors.ids()}) == 2
    # A change of the model does not bring it back, and is not held up by it.
    found = jobs.switch(settings, None, "me")
    assert (found.gate.undescribed, found.gate.unmatched) == (0, 0)
    (folder / "third.jpg").write_bytes(edits.jpeg(edits.thumbnail(coffee, 200)))
    scan(folder)
    assert len(ask(settings, "SELECT FROM ris.family")) == 1


def test_nothing_is_erased_that_is_not_known(
    settings: Settings, tmp_path: Path, scan: Scan
) -> None:
    (tmp_path / "empty.jpg").touch()
    scan(tmp_path / "empty.jpg")
    with pytest.raises(NotFound, match="could not be read"):
        jobs.erase(settings, str(tmp_path / "empty.jpg"), "a test", "me")
    with pytest.raises(NotFound, match="no scan has seen"):
        jobs.erase(settings, "https://example.org/x.jpg", "a test", "me")
