"""Known hashes are found whichever came first, hash or image, and each hit is written once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, text

from ris_jobs import jobs
from ris_jobs.errors import ConfigError, HashListRejected, NotFound
from ris_jobs.jobs import banks
from ris_jobs.match.banks import Hashes, Hit, near
from ris_jobs.progress import LogProgress
from ris_jobs.report.views import Count
from ris_jobs.settings import Settings
from ris_jobs.store import ledger, runs
from ris_jobs.store.banks import Changed
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan, row_versions
from tests.store.samples import fingerprint, fingerprinted, observed


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


def listed(path: Path, hashes: Iterable[bytes]) -> Path:
    path.write_text("\n".join(pdq.hex() for pdq in hashes))
    return path


def flipped(pdq: bytes, bits: int) -> bytes:
    """``pdq`` with its first ``bits`` bits changed."""
    return (int.from_bytes(pdq) ^ ((1 << bits) - 1)).to_bytes(32)


def pdq_of(engine: Engine, name: str) -> bytes:
    ask = "SELECT pdq FROM ris.image JOIN ris.image_uri USING (image_id) WHERE uri LIKE :name"
    with engine.connect() as db:
        return bytes(db.execute(text(ask), {"name": f"%/{name}"}).scalar_one())


def hits(engine: Engine) -> set[tuple[str, str, int]]:
    """(bank, name of the image, distance) of each row of the view."""
    with engine.connect() as db:
        rows = db.execute(text("SELECT bank, uri, distance FROM ris.bank_hit_by_uri"))
        return {(r.bank, Path(r.uri).name, r.distance) for r in rows}


def test_a_bank_that_is_imported_later_finds_images_of_before(
    scan: Scan, folder: Path, engine: Engine, tmp_path: Path
) -> None:
    assert scan(folder).known == {}
    pdq = pdq_of(engine, "rocket.jpg")
    file = listed(tmp_path / "known.csv", [flipped(pdq, 31), flipped(pdq, 32)])
    jobs.import_bank(engine, file, None)
    summary = scan(folder)
    assert summary.known == {"known": Count(1, 1)}
    assert hits(engine) == {("known", f"rocket{x}.jpg", 31) for x in ("", "-again")}
    assert summary.report and "31 of 256 bits" in Path(summary.report).read_text("utf-8")
    before = row_versions(engine)
    assert scan(folder).known == {"known": Count(0, 1)}
    after = row_versions(engine)
    # Observations say that they were seen again; nothing else is touched.
    assert [t for t in after if after[t] != before[t]] == ["observation"]


def test_new_images_meet_the_banks_that_are_there(
    scan: Scan, folder: Path, engine: Engine, tmp_path: Path
) -> None:
    (folder / "rocket.jpg").rename(tmp_path / "aside.jpg")
    (folder / "sub" / "rocket-again.jpg").rename(tmp_path / "later.jpg")
    scan(tmp_path / "aside.jpg")
    pdq = pdq_of(engine, "aside.jpg")
    jobs.import_bank(engine, listed(tmp_path / "a", [flipped(pdq, 256)]), "far")
    jobs.import_bank(engine, listed(tmp_path / "b", [pdq]), "same")
    assert scan(folder).known == {"far": Count(0, 0), "same": Count(1, 1)}
    assert hits(engine) == {("same", "aside.jpg", 0)}
    small = pdq_of(engine, "small.jpg")
    jobs.import_bank(engine, listed(tmp_path / "b", [pdq, small]), "same")
    found = scan(folder)
    assert {(b, n) for b, n, d in hits(engine) if d == 0} == {
        ("same", "aside.jpg"),
        ("same", "small.jpg"),
    }
    assert found.known["same"].new >= 1
    jobs.import_bank(engine, listed(tmp_path / "b", [small]), "same")
    assert ("same", "aside.jpg", 0) not in hits(engine)
    jobs.remove_bank(engine, "same")
    assert hits(engine) == set()
    assert scan(folder).known == {"far": Count(0, 0)}


# ── any order, any interruption ──────────────────────────────────────────────────────────────


def images(engine: Engine, settings: Settings, names: Iterable[str]) -> None:
    with engine.begin() as db:
        run = runs.start(db, "crawl", settings)
        ledger.record(db, [observed(f"file:///{n}", n) for n in names], {}, run)
        fingerprinted(db)


def compared(engine: Engine, settings: Settings) -> jobs.Compared:
    with engine.begin() as db:
        run = runs.start(db, "scan", settings)
    return jobs.compare_banks(engine, run, LogProgress())


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_IMAGES", "_ENTRIES", "_PAGE"):
        monkeypatch.setattr(banks, name, 3)


def same_hash(engine: Engine) -> set[tuple[int, bytes]]:
    """The images that were found by their own hash."""
    ask = "SELECT image_id, e.pdq FROM ris.bank_hit JOIN ris.bank_entry e USING (entry_id)"
    with engine.connect() as db:
        return {(r.image_id, bytes(r.pdq)) for r in db.execute(text(ask))}


def own_hashes(n: int) -> list[bytes]:
    """Those that :func:`fingerprinted` gives to the first images."""
    return [fingerprint(i).hashes.pdq for i in range(1, n + 1)]


def expected(n: int) -> set[tuple[int, bytes]]:
    return set(enumerate(own_hashes(n), 1))


@pytest.mark.usefixtures("small_batches")
def test_images_and_hashes_that_come_by_turns_all_meet_once(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    assert compared(engine, settings).images == 0
    for n in (4, 8, 12):
        images(engine, settings, map(str, range(n - 4, n)))
        jobs.import_bank(engine, listed(tmp_path / "b", own_hashes(n + 2)), None)
        compared(engine, settings)
        assert same_hash(engine) == expected(n)
    again = compared(engine, settings)
    assert (again.images, again.hits) == (0, 0)


def failing_after(whole: int) -> Callable[..., int]:
    """What saves hits, until it fails."""
    save, calls = banks.banks.save_hits, count()

    def fail(db: Connection, found: Sequence[Hit], run_id: int) -> int:
        if next(calls) == whole:
            raise RuntimeError("pulled the plug")
        return save(db, found, run_id)

    return fail


@pytest.mark.usefixtures("small_batches")
def test_a_comparison_that_stopped_half_way_is_finished_by_the_next(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images(engine, settings, map(str, range(7)))
    jobs.import_bank(engine, listed(tmp_path / "b", own_hashes(4)), None)
    compared(engine, settings)
    images(engine, settings, map(str, range(7, 12)))
    jobs.import_bank(engine, listed(tmp_path / "b", own_hashes(12)), None)
    for whole in range(5):
        with monkeypatch.context() as broken:
            broken.setattr(banks.banks, "save_hits", failing_after(whole))
            with pytest.raises(RuntimeError, match="pulled the plug"):
                compared(engine, settings)
        if not whole:
            assert same_hash(engine) == expected(4)
    compared(engine, settings)
    assert same_hash(engine) == expected(12)


@pytest.mark.usefixtures("small_batches")
def test_workers_side_by_side_with_an_import_miss_nothing(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    images(engine, settings, map(str, range(20)))
    file = listed(tmp_path / "b", own_hashes(30))
    jobs.import_bank(engine, listed(tmp_path / "first", own_hashes(3)), "first")
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(compared, engine, settings) for _ in range(2)]
        done.append(pool.submit(jobs.import_bank, engine, file, "second"))
        done.append(pool.submit(images, engine, settings, map(str, range(20, 30))))
        for one in done:
            one.result()
    compared(engine, settings)
    assert same_hash(engine) == expected(30)
    ask = "SELECT count(*) FROM ris.bank_hit"
    with engine.connect() as db:
        assert db.scalar(text(ask)) == 33


def test_a_bank_that_comes_while_an_image_is_compared_meets_it(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images(engine, settings, map(str, range(5)))
    jobs.import_bank(engine, listed(tmp_path / "first", [bytes(32)]), None)
    compared(engine, settings)
    with engine.begin() as db:
        db.execute(text("UPDATE ris.image SET compared_at = NULL WHERE image_id = 1"))
    under_way, pauses = Event(), iter((0.3, 0.6))

    def slow(*hashes: Hashes) -> Iterator[Hit]:
        under_way.set()
        time.sleep(next(pauses, 0))
        return near(*hashes)

    monkeypatch.setattr(banks, "near", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(compared, engine, settings)
        under_way.wait()
        jobs.import_bank(engine, listed(tmp_path / "second", own_hashes(5)), None)
        compared(engine, settings)
        first.result()
    assert same_hash(engine) == expected(5)


# ── files ────────────────────────────────────────────────────────────────────────────────────


def test_a_file_without_a_hash_is_refused_with_what_is_wrong(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("type,hash\nmd5,0a21\npdq,0a21\n")
    with pytest.raises(HashListRejected) as raised:
        jobs.import_bank(engine, file, None)
    assert str(raised.value) == (
        f"{file} was not imported: it holds no PDQ hash of 64 hex digits; 1 entry is of another "
        "signal type or withdrawn; line 3: '0a21' is not a PDQ hash of 64 hex digits"
    )
    assert jobs.list_banks(engine) == []


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_that_was_cut_off_costs_no_known_hash_and_no_hit(
    engine: Engine, settings: Settings, tmp_path: Path, ending: str
) -> None:
    images(engine, settings, map(str, range(5)))
    lines = [pdq.hex() if ending == "csv" else f'{{"pdq": "{pdq.hex()}"}}' for pdq in own_hashes(5)]
    file = tmp_path / f"known.{ending}"
    file.write_text("\n".join(lines))
    jobs.import_bank(engine, file, None)
    compared(engine, settings)
    file.write_text("\n".join(lines)[: -len(lines[0]) - 20])
    done = jobs.import_bank(engine, file, None)
    assert (done.found.bad, done.changed) == (1, Changed(0, 0, 0, kept=2))
    assert same_hash(engine) == expected(5)
    file.write_text("\n".join(lines[:3]))
    assert jobs.import_bank(engine, file, None).changed == Changed(0, 0, 2)
    assert same_hash(engine) == expected(3)


def test_a_file_that_only_withdraws_takes_just_that(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    images(engine, settings, map(str, range(3)))
    own = own_hashes(3)
    jobs.import_bank(engine, listed(tmp_path / "known.csv", own), None)
    compared(engine, settings)
    update = tmp_path / "update.json"
    withdrawn = '{"data": [{"indicator": "%s", "type": "HASH_PDQ", "should_delete": true}]}'
    update.write_text(withdrawn % own[2].hex())
    with pytest.raises(HashListRejected, match="no bank 'update'; say which by --name"):
        jobs.import_bank(engine, update, None)
    for changed in (Changed(0, 0, 1, kept=2), Changed(0, 0, 0, kept=2)):
        assert jobs.import_bank(engine, update, "known").changed == changed
        assert same_hash(engine) == expected(2)
    update.write_text("\n".join(withdrawn % pdq.hex() for pdq in own))
    assert jobs.import_bank(engine, update, "known").changed == Changed(0, 0, 2)
    (bank,) = jobs.list_banks(engine)
    assert (bank.name, bank.hashes) == ("known", 0)
    assert compared(engine, settings).hits == 0


def test_what_the_file_calls_poor_leaves_the_bank_though_not_all_of_it_can_be_used(
    engine: Engine, tmp_path: Path
) -> None:
    a, b, c = (pdq.hex() for pdq in own_hashes(3))
    file = tmp_path / "known.csv"
    file.write_text(f"hash,quality\n{a},3\n")
    with pytest.raises(HashListRejected, match=r"all its PDQ hashes have a quality below 50$"):
        jobs.import_bank(engine, file, None)
    file.write_text(f"hash,quality\n{a},100\n{b},100\n{c},100\n")
    jobs.import_bank(engine, file, None)
    file.write_text(f"hash,quality\n{a},3\n{b},100\n{c[:9]}")
    assert jobs.import_bank(engine, file, None).changed == Changed(0, 0, 1, kept=1)


def test_a_file_that_needs_a_header_is_refused(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(",".join(pdq.hex() for pdq in own_hashes(2)))
    with pytest.raises(HashListRejected, match=r"x\.csv was not imported: line 1 .* add a header"):
        jobs.import_bank(engine, file, None)


def test_a_file_that_is_too_large_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banks, "MAX_BYTES", 64)
    assert jobs.import_bank(engine, listed(tmp_path / "a", [bytes(32)]), None).changed.added == 1
    with pytest.raises(HashListRejected, match="split it"):
        jobs.import_bank(engine, listed(tmp_path / "b", [bytes(32)] * 2), None)


def test_a_bank_needs_a_name_people_can_type(engine: Engine, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"))
    listed(odd, [bytes(32)])
    for name in (None, "", " ", "a\nb", "x" * 101):
        with pytest.raises(ConfigError, match="--name must be"):
            jobs.import_bank(engine, odd, name)
    assert jobs.import_bank(engine, odd, " näme ").name == "näme"
    (bank,) = jobs.list_banks(engine)
    assert (bank.name, bank.file) == ("näme", "\ufffd.csv")


def test_a_bank_that_is_not_there_cannot_be_removed(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no bank 'x'; `ris bank list`"):
        jobs.remove_bank(engine, "x")
