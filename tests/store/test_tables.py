"""Images, descriptors, matches and families: what goes in comes out, and only once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from sqlalchemy import Engine, text

from ris_jobs.errors import ImageRejected, NotFound, Reason
from ris_jobs.fingerprint import Manifest, Traces
from ris_jobs.fingerprint.regions import WHOLE
from ris_jobs.match import Relation
from ris_jobs.match.candidates import HASH
from ris_jobs.match.containment import Surround
from ris_jobs.match.remade import Remade
from ris_jobs.provenance import Family, Pair, Verdict
from ris_jobs.store import descriptors, families, images, matches, runs, samples
from ris_jobs.store.descriptors import Descriptors
from ris_jobs.store.queries import query
from ris_jobs.store.runs import Run
from tests.store.samples import MODEL, fingerprint, fingerprinted, matched, observed

See = Callable[..., object]


@pytest.fixture
def ids(engine: Engine, see: See) -> list[int]:
    """Four fingerprinted images."""
    see(*(observed(f"file:///{n}", n) for n in "abcd"))
    with engine.begin() as db:
        return fingerprinted(db)


def test_fingerprints_survive_storage_bit_for_bit(engine: Engine, ids: list[int]) -> None:
    with engine.connect() as db:
        stored, patches = images.by_ids(db, ids), samples.of(db, ids)
    assert {i: s.fingerprint for i, s in stored.items()} == {i: fingerprint(i) for i in ids}
    assert patches == dict.fromkeys(ids, b"")


def test_texts_of_strangers_are_kept_without_what_postgresql_cannot_hold(
    engine: Engine, see: See
) -> None:
    see(*(observed(f"file:///{n}", n) for n in "ab"))
    with engine.begin() as db:
        one, other = (c.image_id for c in images.claim_pending(db, 0, 10))
        manifest = Manifest("broken", "la\0bel", parents=("pa\0rent", "\ud800"))
        traces = Traces(None, None, True, {"Ma\0ke": "Ac\0me"}, manifest=manifest)
        images.save_fingerprints(db, {one: replace(fingerprint(), traces=traces)})
        images.quarantine(db, {other: ImageRejected(Reason.CORRUPT, "da\0maged")}, "test")
        stored = images.by_ids(db, [one])[one].fingerprint.traces
        detail = db.scalar(text("SELECT detail FROM ris.image WHERE image_id = :i"), {"i": other})
    assert stored.manifest == Manifest("broken", "label", parents=("parent", "?"))
    assert (stored.metadata, detail) == ({"Make": "Acme"}, "damaged")


def test_claimed_images_are_not_given_to_another_worker(engine: Engine, see: See) -> None:
    see(*(observed(f"file:///{n}", n) for n in "abc"))
    with engine.begin() as one, engine.begin() as other:
        first = images.claim_pending(one, 0, 2)
        second = images.claim_pending(other, 0, 2)
    assert len(first) == 2
    assert len(second) == 1
    assert {c.image_id for c in first}.isdisjoint(c.image_id for c in second)


def test_another_model_describes_the_same_images_again(
    engine: Engine, ids: list[int], model_id: int
) -> None:
    with engine.begin() as db:
        whole = Descriptors([WHOLE], np.ones((1, 8), np.float32), np.zeros(1, np.float32))
        descriptors.save(db, model_id, dict.fromkeys(ids, whole))
        assert images.claim_pending(db, 0, 10) == []
        assert images.claim_undescribed(db, model_id, 0, 10) == []
        other = runs.register_model(
            db,
            runs.Model(
                name="o", version="1", weights_sha256="cd" * 32, dim=4, input_size=8, regions="0+0"
            ),
        )
        assert images.claim_pending(db, 0, 10) == []
        assert {c.new for c in images.claim_undescribed(db, other, 0, 10)} == {False}


def test_quarantine_takes_a_reason(engine: Engine, see: See) -> None:
    see(observed("file:///a", "x"))
    with engine.begin() as db:
        (claimed,) = images.claim_pending(db, 0, 10)
        rejected = ImageRejected(Reason.TRUNCATED, "it ends too early")
        images.quarantine(db, {claimed.image_id: rejected}, "abc 1.0")
        row = db.execute(text("SELECT status, reason, detail FROM ris.image_by_uri")).one()
    assert tuple(row) == ("quarantined", "truncated", "it ends too early")


def test_descriptors_go_from_saved_to_indexed_to_matched(
    engine: Engine, ids: list[int], model_id: int
) -> None:
    boxes = [WHOLE, (0.0, 0.0, 0.5, 0.5), (0.25, 0.125, 1.0, 0.75)]
    vectors = {i: np.arange(16 + 8 * (n % 2), dtype=np.float32) + i for n, i in enumerate(ids)}
    vectors = {i: values.reshape(-1, 8) for i, values in vectors.items()}
    with engine.begin() as db:
        found = {
            i: Descriptors(boxes[: len(v)], v, np.arange(len(v), dtype=np.float32) / 4)
            for i, v in vectors.items()
        }
        descriptors.save(db, model_id, found)
        assert descriptors.commonness(db, model_id, ids[:2]) == {
            ids[0]: (0, 0.25),
            ids[1]: (0, 0.25, 0.5),
        }
        assert descriptors.claim_unmatched(db, model_id, 10).ids == []
        claimed = descriptors.claim_unindexed(db, model_id, 10)
        assert claimed.ids == ids
        assert claimed.parts.tolist() == [0, 1, 0, 1, 2] * 2 + [HASH] * 4
        assert claimed.owners.tolist() == [*(i for i in ids for _ in vectors[i]), *ids]
        np.testing.assert_array_equal(claimed.vectors[:10], np.concatenate([*vectors.values()]))
        loaded = descriptors.vectors(db, model_id, [*ids[:2], 10_000])
        assert loaded.keys() == {*ids[:2]}
        np.testing.assert_array_equal(loaded[ids[1]], vectors[ids[1]])
        descriptors.set_indexed(db, model_id, ids)
        assert descriptors.indexed(db, model_id, 0, None) == {
            i: len(v) + 1 for i, v in vectors.items()
        }
        assert descriptors.claim_unmatched(db, model_id, 10).ids == ids
        descriptors.set_matched(db, model_id, ids[:3])
        assert descriptors.claim_unmatched(db, model_id, 10).ids == ids[3:]
        assert descriptors.forget_index(db, model_id) == 4


def test_other_regions_are_another_model(engine: Engine, model_id: int) -> None:
    with engine.begin() as db:
        assert runs.register_model(db, MODEL) == model_id
        other = runs.register_model(db, replace(MODEL, regions="0+0"))
        assert other != model_id
        assert runs.register_model(db, replace(MODEL, regions="0+0")) == other


def save(engine: Engine, model_id: int, run: Run, *found: object, calibration: str = "c1") -> int:
    with engine.begin() as db:
        return matches.save(
            db,
            found,  # type: ignore[arg-type]  # matches, as matched() makes them
            model_id=model_id,
            calibration=calibration,
            run_id=run.run_id,
        )


def test_a_pair_is_written_once_whichever_way_round(
    engine: Engine, ids: list[int], model_id: int, run: Run
) -> None:
    a, b, *_ = ids
    assert save(engine, model_id, run, matched(a, b)) == 1
    assert save(engine, model_id, run, matched(a, b)) == 0
    assert save(engine, model_id, run, matched(b, a)) == 0
    assert save(engine, model_id, run, matched(b, a), calibration="c2") == 1
    with engine.connect() as db:
        assert db.execute(text("SELECT derived_id, source_id FROM ris.match")).all() == [(b, a)]


def test_suppressed_pairs_are_kept_but_in_no_family(
    engine: Engine, ids: list[int], model_id: int, run: Run
) -> None:
    a, b, c, _ = ids
    save(engine, model_id, run, matched(a, b), matched(b, c, suppressed="low-complexity"))
    with engine.connect() as db:
        assert sorted(matches.unresolved(db)) == [(a, b), (b, c)]
        assert sorted(matches.component(db, [a])) == [a, b]
        assert matches.pairs(db, ids) == [Pair(a, b, "thumbnail", pytest.approx(0.99), scale=0.5)]
        assert matches.count_suppressed(db) == {"low-complexity": 1}


@pytest.mark.parametrize(("toned", "same"), [({}, 0.0), ({"toned": 0.1}, 0.8)])
def test_what_was_judged_when_plain_ground_counted_shares_no_pixels(
    engine: Engine, ids: list[int], model_id: int, run: Run, toned: dict[str, float], same: float
) -> None:
    save(engine, model_id, run, matched(*ids[:2]))
    made = {"derived": None, "source": None, "same": 0.8} | toned
    with engine.begin() as db:
        with_it = "UPDATE ris.match SET evidence = evidence || CAST(:made AS jsonb)"
        db.execute(text(with_it), {"made": json.dumps({"remade": made})})
        (pair,) = matches.pairs(db, ids)
    assert pair.remade == Remade(None, None, same, toned.get("toned", 0.0))


def test_a_composite_does_not_make_the_families_of_its_sources_one(
    engine: Engine, ids: list[int], model_id: int, run: Run
) -> None:
    a, b, c, d = ids
    box = (0.0, 0.0, 0.5, 1.0)
    pasted = [matched(c, s, relation=Relation.COMPOSITE, box=box) for s in (a, d)]
    save(engine, model_id, run, matched(b, a), *pasted)
    with engine.connect() as db:
        assert sorted(matches.component(db, [c, a])) == sorted([c, a, b])


def test_undetermined_direction_is_told(
    engine: Engine, ids: list[int], model_id: int, run: Run
) -> None:
    evidence = {"direction": "undetermined", "changes": ["colour"]}
    edited = matched(ids[0], ids[1], relation=Relation.EDITED, evidence=evidence)
    save(engine, model_id, run, edited)
    with engine.connect() as db:
        (pair,) = matches.pairs(db, ids)
    assert (pair.claims, pair.counterclaims, pair.inner) == ((), (), None)
    assert (pair.changed, pair.recoloured, pair.around) == (True, True, None)


def test_what_told_the_direction_comes_with_a_pair(
    engine: Engine, ids: list[int], model_id: int, run: Run
) -> None:
    around = Surround(plain=0.75, rim=1.0, step=2.0, seam=0.5, jump=1.0, least=0.4)
    evidence = {
        "direction": "containment",
        "direction_for": ["containment"],
        "direction_against": ["metadata"],
        "inside": {"inner": "derived", "surround": asdict(around)},
        "changes": ["colour-profile"],
    }
    save(engine, model_id, run, matched(ids[0], ids[1], orientation=2, evidence=evidence))
    with engine.connect() as db:
        (pair,) = matches.pairs(db, ids)
    assert (pair.claims, pair.counterclaims) == (("containment",), ("metadata",))
    assert (pair.inner, pair.around, pair.scale, pair.mirrored) == ("derived", around, 0.5, True)
    assert (pair.changed, pair.recoloured) == (False, False)


def test_only_what_new_matches_reach_is_resolved_again(
    engine: Engine, ids: list[int], model_id: int, run: Run
) -> None:
    a, b, c, d = ids
    save(engine, model_id, run, matched(a, b), matched(c, d))
    with engine.begin() as db:
        matches.set_resolved(db, [(a, b)])
        assert matches.unresolved(db) == [(c, d)]


def family(anchor: int, *members: int, source: int | None = None) -> Family:
    return Family(anchor, tuple(sorted((anchor, *members))), Verdict(source, 0.9, ("for: larger",)))


def stored(engine: Engine, ids: list[int]) -> dict[int, tuple[int, ...]]:
    with engine.connect() as db:
        return {f.family_id: f.members for f in families.touching(db, ids)}


def test_families_grow_under_their_id_and_unchanged_ones_are_not_written(
    engine: Engine, ids: list[int], run: Run, settings: object
) -> None:
    a, b, c, d = ids
    with engine.begin() as db:
        families.replace(db, [], [(None, family(a, b)), (None, family(c, d))], run.run_id)
    first, second = sorted(stored(engine, ids))
    with engine.begin() as db:
        old = families.touching(db, ids)
        families.replace(db, old, [(first, family(a, b)), (second, family(c, d))], run.run_id + 0)
        before = db.execute(text("SELECT xmin::text FROM ris.family ORDER BY 1")).all()
    with engine.begin() as db:
        old = families.touching(db, ids)
        families.replace(db, old, [(first, family(a, b, c, d))], run.run_id)
        after = db.execute(text("SELECT xmin::text FROM ris.family ORDER BY 1")).all()
    assert stored(engine, ids) == {first: (a, b, c, d)}
    assert before != after


def test_a_run_that_is_not_there(engine: Engine) -> None:
    with engine.connect() as db, pytest.raises(NotFound, match="no scan has finished yet"):
        runs.get(db, None)


# As many images like the one that is there.
CROWD = """
INSERT INTO ris.image (sha256, byte_size, status, first_seen_at, run_id, width, height, format,
                       frames, exif_orientation, phash, dhash, pdq, pdq_quality, complexity,
                       colourfulness, spectrum, traces, sample)
SELECT encode(sha256(n::text::bytea), 'hex'), byte_size, status, first_seen_at, run_id, width,
       height, format, frames, exif_orientation, phash, dhash, pdq, pdq_quality, complexity,
       colourfulness, spectrum, traces, sample
FROM ris.image, generate_series(1, :count) AS n
"""


def test_images_that_wait_are_claimed_without_going_through_all(engine: Engine, see: See) -> None:
    see(observed("file:///first", "first"))
    with engine.begin() as db:
        fingerprinted(db)
        db.execute(text(CROWD), {"count": 200_000})
    see(*(observed(f"file:///{n}", n) for n in "abc"))
    claim = query("images.claim_pending").text
    with engine.begin() as db:
        db.execute(text("ANALYZE ris.image"))
        assert len(images.claim_pending(db, 0, 64)) == 3
        params = {"after": 0, "limit": 64, "sources": None}
        plan = "\n".join(db.scalars(text(f"EXPLAIN {claim}"), params))
    assert "Index Scan using image_pending on image" in plan
