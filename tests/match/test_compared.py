from __future__ import annotations

import pytest

from ris_jobs.demo import edits
from ris_jobs.match import Candidate
from ris_jobs.match.compared import Compared, ordered
from ris_jobs.match.judge import judge_many
from ris_jobs.match.rerank import HashDistance, hash_distances
from tests.match.scenes import scene


@pytest.fixture
def copies(collection):
    """Three forms of one picture, each pair of them a candidate, and one with an unknown image."""
    for quality in (92, 60, 30):
        collection.add(edits.jpeg(scene(1), quality))
    return [Candidate(a, b, 0.1) for a, b in ((1, 2), (1, 3), (2, 3), (1, 99))]


def test_distances_are_of_the_pair_by_sha256_and_unknown_images_have_none(collection, copies):
    compared = Compared.of(copies, collection.sides)
    assert [compared.has(c) for c in copies] == [True, True, True, False]
    for candidate in copies[:3]:
        one, two = ordered(*(collection.sides[i] for i in (candidate.image_id, candidate.other_id)))
        assert one.sha256 < two.sha256 and compared.pair(candidate) == (one, two)
        hashes = (one.fingerprint.hashes, two.fingerprint.hashes)
        assert [compared.distance(candidate)] == hash_distances([hashes])


def test_judging_takes_them_as_they_are(collection, calibration, copies):
    def found(compared):
        return judge_many(
            copies[:1],
            compared,
            calibration=calibration,
            min_probability=0.5,
            load_preview=collection.previews.get,
        )

    compared = Compared.of(copies, collection.sides)
    assert len([*found(compared)]) == 1
    far = Compared(compared.sides, {(1, 2): HashDistance(1, 30, 30, 128)})
    assert [*found(far)] == []
