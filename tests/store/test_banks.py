"""Banks hold what their file says, once, and every image meets every hash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ris_jobs.match.banks import Hit
from ris_jobs.store import banks, images
from ris_jobs.store.banks import Changed
from ris_jobs.store.runs import Run
from tests.store.samples import fingerprint, fingerprinted, observed

A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))


def put(
    engine: Engine, hashes: Mapping[bytes, str | None], file: str = "f.csv", **left: Any
) -> Changed:
    with engine.begin() as db:
        banks.lock(db)
        return banks.replace(db, "known", file, hashes, **left)


def rows(engine: Engine) -> list[tuple[str, ...]]:
    """Every row of banks and entries with the transaction that wrote it."""
    ask = (
        "SELECT xmin::text, b::text FROM ris.bank b UNION ALL "
        "SELECT xmin::text, e::text FROM ris.bank_entry e ORDER BY 2"
    )
    with engine.connect() as db:
        return [tuple(r) for r in db.execute(text(ask))]


@pytest.fixture
def ids(engine: Engine, see: Callable[..., object]) -> list[int]:
    """Three fingerprinted images."""
    see(*(observed(f"file:///{n}", n) for n in "abc"))
    with engine.begin() as db:
        return fingerprinted(db)


def test_an_import_again_writes_only_what_changed(engine: Engine) -> None:
    assert put(engine, {A: "a", B: None}) == Changed(2, 0, 0)
    before = rows(engine)
    assert put(engine, {B: None, A: "a"}) == Changed(0, 0, 0)
    assert rows(engine) == before
    assert put(engine, {A: "other", C: None}, "g.csv") == Changed(1, 1, 1)
    with engine.connect() as db:
        (bank,) = banks.listed(db)
        assert (bank.name, bank.hashes, bank.file) == ("known", 2, "g.csv")
        found = db.execute(text("SELECT pdq, label FROM ris.bank_entry ORDER BY pdq"))
        assert [(bytes(r.pdq), r.label) for r in found] == [(A, "other"), (C, None)]


def test_what_is_not_the_whole_file_removes_nothing(engine: Engine) -> None:
    put(engine, {A: "a", B: None})
    assert put(engine, {A: "other", C: None}, whole=False) == Changed(1, 1, 0, kept=1)
    with engine.connect() as db:
        found = db.scalars(text("SELECT pdq FROM ris.bank_entry"))
        assert {bytes(pdq) for pdq in found} == {A, B, C}
    before = rows(engine)
    assert put(engine, {A: "other", C: None}, whole=False) == Changed(0, 0, 0, kept=1)
    assert rows(engine) == before
    gone = put(engine, {A: "other"}, whole=False, withdrawn={B})
    assert gone == Changed(0, 0, 1, kept=1)


def test_more_hashes_than_a_statement_carries(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banks, "_BATCH", 3)
    many = {bytes([n]) * 32: str(n) for n in range(10)}
    assert put(engine, many) == Changed(10, 0, 0)
    assert put(engine, {A: "1"}) == Changed(0, 0, 9)


def hits(db: Connection) -> list[tuple[int, int]]:
    found = db.execute(text("SELECT image_id, distance FROM ris.bank_hit ORDER BY 1, 2"))
    return [(r.image_id, r.distance) for r in found]


def test_a_hit_is_written_once_and_goes_with_its_entry(
    engine: Engine, ids: list[int], run: Run
) -> None:
    put(engine, {A: "a", B: None})
    with engine.begin() as db:
        first, second = banks.new_entries(db, 10).ids.tolist()
        found = [Hit(ids[0], first, 3), Hit(ids[0], second, 31), Hit(ids[1], second, 0)]
        assert banks.save_hits(db, found, run.run_id) == 3
        assert banks.save_hits(db, found, run.run_id) == 0
        assert banks.count_images(db, run.run_id) == {"known": (2, 2)}
        assert banks.count_images(db, run.run_id + 1) == {"known": (0, 2)}
    put(engine, {A: "a"})
    with engine.begin() as db:
        assert hits(db) == [(ids[0], 3)]
        banks.lock(db)
        assert banks.remove(db, "known")
        assert not banks.remove(db, "known")
        assert hits(db) == []
        assert banks.count_images(db, run.run_id) == {}


def test_what_was_compared_is_old_and_the_rest_new(engine: Engine, ids: list[int]) -> None:
    put(engine, {A: None, B: None})
    with engine.begin() as db:
        banks.set_entries_compared(db, banks.new_entries(db, 1))
        assert len(banks.new_entries(db, 10).ids) == len(banks.old_entries(db).ids) == 1
        assert banks.new_images(db, 2).ids.tolist() == ids[:2]
        banks.set_images_compared(db, banks.new_images(db, 2))
        assert banks.new_images(db, 10).ids.tolist() == ids[2:]
        assert [page.ids.tolist() for page in banks.old_images(db, 1)] == [[i] for i in ids[:2]]
        stored = {i: s.fingerprint.hashes.pdq for i, s in images.by_ids(db, ids).items()}
        (page,) = banks.old_images(db, 10)
        assert [w.tobytes() for w in page.words.T] == [stored[i] for i in ids[:2]]


def test_images_of_quality_49_are_not_compared(engine: Engine, see: Callable[..., object]) -> None:
    see(*(observed(f"file:///{n}", n) for n in "ab"))
    with engine.begin() as db:
        low, enough = (c.image_id for c in images.claim_pending(db, 0, 9))
        for image_id, quality in ((low, 49), (enough, 50)):
            f = fingerprint(image_id)
            hashes = replace(f.hashes, pdq_quality=quality)
            images.save_fingerprints(db, {image_id: replace(f, hashes=hashes)})
        assert banks.new_images(db, 10).ids.tolist() == [enough]


def test_the_view_has_a_row_for_each_uri(
    engine: Engine, see: Callable[..., object], run: Run
) -> None:
    see(observed("file:///a", "x"), observed("file:///b", "x"))
    put(engine, {A: "=1+1"})
    with engine.begin() as db:
        (image_id,) = fingerprinted(db)
        (entry_id,) = banks.new_entries(db, 10).ids.tolist()
        banks.save_hits(db, [Hit(image_id, entry_id, 7)], run.run_id)
        found = db.execute(text("SELECT * FROM ris.bank_hit_by_uri ORDER BY uri")).mappings()
        by_uri = {r["uri"]: (r["bank"], r["label"], r["hash"], r["distance"]) for r in found}
    assert by_uri == dict.fromkeys(("file:///a", "file:///b"), ("known", "=1+1", A.hex(), 7))
