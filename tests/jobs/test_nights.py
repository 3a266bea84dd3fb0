"""Families from night to night, whatever the order in which images arrive."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.match import Relation
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import images, ledger, matches, runs
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan
from tests.store.samples import MODEL, fingerprint, matched, observed

# The module: the package has a function of that name.
RESOLVE = import_module("ris_jobs.jobs.resolve")
NIGHTS = 10
NAMES = "abcdefg"
Edge = tuple[str, str, str]
"""Derived, source, and the claim that tells; none where nothing does."""
EDGES = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.sampled_from(["resolution", "border", ""]),
    ).filter(lambda edge: edge[0] < edge[1]),
    min_size=2,
    max_size=15,
    unique_by=lambda edge: edge[:2],
)
Families = Mapping[frozenset[str], str | None]


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


class World:
    """Images that arrive in batches, each with its matches with those that are there."""

    def __init__(self, engine: Engine, settings: Settings, edges: Sequence[Edge]) -> None:
        self.engine, self.edges = engine, edges
        self.ids: dict[str, int] = {}
        with engine.begin() as db:
            db.execute(text("TRUNCATE ris.image, ris.observation, ris.family CASCADE"))
            self.model_id = runs.register_model(db, MODEL)
            self.run = runs.start(db, "scan", settings)

    def night(self, names: Sequence[str]) -> None:
        with self.engine.begin() as db:
            ledger.record(db, [observed(f"file:///{n}", n) for n in names], {}, self.run)
            new = [c.image_id for c in images.claim_pending(db, 0, 1000)]
            new = [i for i in new if i not in self.ids.values()]
            images.save_fingerprints(db, {i: fingerprint() for i in new})
            uris = images.uris(db, new)
            self.ids |= {uri[-1]: i for i, uri in uris.items()}
            found = [self._match(*edge) for edge in self.edges if set(edge[:2]) <= set(self.ids)]
            matches.lock(db)
            kept = {"model_id": self.model_id, "calibration": "1", "run_id": self.run.run_id}
            matches.save(db, found, **kept)  # type: ignore[arg-type]  # values of both types
        jobs.resolve(self.engine, self.run.run_id, LogProgress())

    def _match(self, derived: str, source: str, claim: str) -> object:
        evidence = {"direction": claim or "undetermined", "direction_for": [claim] if claim else []}
        ids = (self.ids[derived], self.ids[source])
        return matched(*ids, relation=Relation.EDITED, evidence=evidence)

    def families(self) -> dict[int, tuple[frozenset[str], str | None]]:
        """Id → the names of members and of the source."""
        names = {i: name for name, i in self.ids.items()}
        ask = (
            "SELECT family_id, source_id, array_agg(image_id) AS members FROM ris.family "
            "JOIN ris.family_member USING (family_id) GROUP BY 1, 2"
        )
        with self.engine.connect() as db:
            rows = db.execute(text(ask)).all()
        return {
            r.family_id: (frozenset(names[i] for i in r.members), names.get(r.source_id))
            for r in rows
        }


CAUSES = "SELECT kind, cause -> 'matches' FROM ris.family_event WHERE run_id = :run_id"


def _sorted(family: tuple[frozenset[str], str | None]) -> tuple[list[str], str]:
    return sorted(family[0]), str(family[1])


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDGES, EDGES, st.integers(1, 4))
def test_families_are_the_same_however_their_matches_are_parted(
    engine: Engine, settings: Settings, first: list[Edge], second: list[Edge], size: int
) -> None:
    def happen(pairs: int) -> tuple[object, object]:
        world = World(engine, settings, first)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RESOLVE, "_PAIRS", pairs)
            world.night(NAMES)
            world.edges = second
            world.night([])
        names = {i: name for name, i in world.ids.items()}
        with engine.connect() as db:
            assert matches.unresolved(db) == []
            causes = db.execute(text(CAUSES), {"run_id": world.run.run_id}).all()
        told = [
            (kind, sorted([names[i] for i in pair] for pair in pairs)) for kind, pairs in causes
        ]
        # In which order events are told, and how new families are numbered, may differ.
        return sorted(map(_sorted, world.families().values())), sorted(told)

    assert happen(size) == happen(4096)


def test_what_was_taken_in_before_a_kill_stays(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part is a transaction; the next run goes on."""
    monkeypatch.setattr(RESOLVE, "_PAIRS", 1)
    look_again = RESOLVE.look_again
    parts: list[int] = []

    def killed_at_the_second(*given: object) -> list[int]:
        parts.append(1)
        if len(parts) == 2:
            raise KeyboardInterrupt
        return look_again(*given)

    monkeypatch.setattr(RESOLVE, "look_again", killed_at_the_second)
    world = World(engine, settings, [("a", "b", ""), ("c", "d", ""), ("e", "f", "")])
    with pytest.raises(KeyboardInterrupt):
        world.night(NAMES)
    assert len(world.families()) == 1
    assert jobs.resolve(engine, world.run.run_id, LogProgress()).images == 4
    assert len(world.families()) == 3


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDGES, st.permutations(NAMES), st.lists(st.integers(0, NIGHTS - 1), min_size=7, max_size=7))
@example([("a", "b", ""), ("b", "c", "")], list(NAMES), list(range(7)))
@example([("a", "b", ""), ("b", "c", "")], list(reversed(NAMES)), list(range(7)))
def test_families_are_the_same_whatever_arrives_when(
    engine: Engine, settings: Settings, edges: list[Edge], order: list[str], nights: list[int]
) -> None:
    at_once = World(engine, settings, edges)
    at_once.night(NAMES)
    expected = set(at_once.families().values())
    world = World(engine, settings, edges)
    ids: dict[int, frozenset[str]] = {}
    for night in range(NIGHTS):
        arrived = [name for name, on in zip(order, nights, strict=True) if on == night]
        if arrived:
            world.night(arrived)
        now = {i: members for i, (members, _) in world.families().items()}
        # A family all of whose members are still together has kept its id, or was told to merge.
        for family_id, members in ids.items():
            if any(members <= other for other in now.values()):
                assert family_id in now or family_id in merged(engine)
        ids = now
    assert set(world.families().values()) == expected


def merged(engine: Engine) -> set[int]:
    with engine.connect() as db:
        ask = "SELECT family_id FROM ris.family_event WHERE kind = 'merged'"
        return set(db.scalars(text(ask)))


def test_a_merge_is_told_with_its_cause(engine: Engine, settings: Settings) -> None:
    edges = [("b", "a", "resolution"), ("d", "c", "resolution"), ("d", "a", "resolution")]
    edges += [("c", "a", "border")]
    world = World(engine, settings, edges)
    world.night("bd")
    world.night("c")
    (first,) = world.families()
    world.night("a")
    assert {members for members, _ in world.families().values()} == {frozenset("abcd")}
    assert list(world.families()) == [first]
    world = World(engine, settings, edges[:2])
    world.night("abcd")
    one, two = sorted(world.families())
    world.edges = edges
    world.night([])
    ask = "SELECT family_id, other_id, kind, cause, run_id FROM ris.family_event"
    with engine.connect() as db:
        (event,) = db.execute(text(ask)).all()
    assert {event.family_id, event.other_id} == {one, two} and event.kind == "merged"
    pair = [world.ids["c"], world.ids["a"]]
    assert pair in event.cause["matches"] and event.run_id == world.run.run_id


def test_ten_nights_of_files_end_as_one_scan(
    settings: Settings,
    other_database_url: str,
    scan: Scan,
    tmp_path: Path,
    coffee: Image.Image,
    rocket: Image.Image,
) -> None:
    every = made(coffee, rocket)
    slowly, at_once = tmp_path / "slowly", tmp_path / "at-once"
    slowly.mkdir()
    at_once.mkdir()
    for name in Random(7).sample(sorted(every), len(every)):
        (slowly / name).write_bytes(every[name])
        scan(slowly)
    for name, data in every.items():
        (at_once / name).write_bytes(data)
    other = Settings(home=tmp_path / "other", database_url=other_database_url, workers=2)
    scan(at_once, settings=other)
    found = said(settings)
    assert found == said(other)
    assert found == {
        frozenset(n for n in every if n.startswith(which)): f"{which}.jpg"
        for which in ("coffee", "rocket")
    }
    shutil.rmtree(slowly)


def made(coffee: Image.Image, rocket: Image.Image) -> dict[str, bytes]:
    """Two sources and eight copies of them."""
    return {
        "coffee.jpg": edits.jpeg(coffee, 92),
        "coffee-small.jpg": edits.jpeg(edits.thumbnail(coffee, 200)),
        "coffee-crop.jpg": edits.jpeg(edits.crop(coffee, 0.6), 80),
        "coffee-grey.jpg": edits.jpeg(edits.greyscale(coffee), 80),
        "coffee-large.jpg": edits.jpeg(edits.upscale(coffee, 2), 95),
        "coffee-again.jpg": edits.jpeg(coffee, 60),
        "rocket.jpg": edits.jpeg(rocket, 92),
        "rocket-small.jpg": edits.jpeg(edits.thumbnail(rocket, 160)),
        "rocket-pad.jpg": edits.jpeg(edits.pad(rocket), 85),
        "rocket-again.jpg": edits.jpeg(rocket, 70),
    }


def said(settings: Settings) -> Families:
    """The names of each family's members, and of its source."""
    with open_engine(settings) as engine, engine.connect() as db:
        rows = db.execute(text("SELECT members, source_uri FROM ris.family_by_uri")).all()
    return {
        frozenset(Path(uri).name for uri in r.members): r.source_uri and Path(r.source_uri).name
        for r in rows
    }
