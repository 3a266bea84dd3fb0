from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.accuracy import described
from benchmarks.accuracy.described import Described, as_scanned, normalised, similarity
from ris_jobs.match.candidates import HANDICAP
from tests.benchmarks.accuracy.drawn import drawn


def _plain(queries: Described, references: Described, handicap: float) -> npt.NDArray[np.float64]:
    """The rule of `similarity` for vectors, file by file."""
    scores = np.full((queries.files, references.files), -np.inf)
    for q, r in product(range(queries.files), range(references.files)):
        one = queries.codes[queries.owner == q].astype(np.float64)
        other = references.codes[references.owner == r].astype(np.float64)
        if len(one) and len(other):
            parts = [one[0] @ part for part in other[1:]] + [part @ other[0] for part in one[1:]]
            scores[q, r] = max([one[0] @ other[0], *(cosine - handicap for cosine in parts)])
    return scores


@pytest.mark.parametrize("counts", [[1, 1, 1], [3, 1, 2], [0, 4, 1], [2, 0, 0], [0, 0]])
def test_vectors_are_as_near_as_whole_and_part_at_best(counts: list[int]) -> None:
    rng = np.random.default_rng(sum(counts))
    queries, references = drawn(counts, rng), drawn([2, 0, 1, 3], rng)
    for handicap in (0.0, 0.3):
        scores = similarity(queries, references, handicap=handicap)
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, _plain(queries, references, handicap), atol=1e-6)


def test_what_is_common_is_less_near() -> None:
    made = drawn([1, 2, 1], np.random.default_rng(4))
    near = similarity(made, made)
    common = np.array([0.0, 0.25, 0.5], np.float32)
    scores = normalised(near, replace(made, commonness=common))
    assert scores[1, 2] == pytest.approx(near[1, 2] - 0.375)
    assert scores[0, 0] == near[0, 0]
    assert normalised(near, made) is near


def test_commonness_is_kept_and_follows_the_files(tmp_path: Path) -> None:
    common = np.array([0.0, 0.25, 0.5], np.float32)
    made = replace(drawn([1, 2, 1], np.random.default_rng(4)), commonness=common)
    made.save(tmp_path / "made.npz")
    again = Described.load(tmp_path / "made.npz").of(np.array([2, 0]))
    assert again.commonness is not None and again.commonness.tolist() == [0.5, 0]


def test_a_scan_takes_the_nearer_of_vectors_and_hashes() -> None:
    made = drawn([2, 1, 1, 1], np.random.default_rng(4))
    bits = np.zeros((3, 32), np.uint8)
    bits[1] = 255  # the inverse of the first
    bits[2, :16] = 0b01010101  # 64 bits from both
    hashes = Described("pdq", "1", bits, np.arange(3), 4, 1.0)
    near, scanned = as_scanned(made), as_scanned(made, hashes)
    np.testing.assert_array_equal(near, similarity(made, made, handicap=HANDICAP))
    assert scanned[0, 1] == 1
    assert scanned[0, 2] == max(near[0, 2], 0.5)
    np.testing.assert_array_equal(scanned[3], near[3])  # it has no hash
    bits[2, :18] = 0b01010101  # 72 bits: too far
    assert as_scanned(made, hashes)[0, 2] == near[0, 2]


def test_two_parts_are_not_compared() -> None:
    whole, part = np.eye(3, dtype=np.float32)[0], np.eye(3, dtype=np.float32)[1]
    one = Described("made", "1", np.stack([whole, part]), np.array([0, 0]), 1, 1.0)
    other = Described("made", "1", np.stack([-whole, part]), np.array([0, 0]), 1, 1.0)
    assert similarity(one, other) == 0


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    made = drawn([1, 0, 2, 3, 1, 1, 0], np.random.default_rng(1))
    expected = similarity(made, made)
    monkeypatch.setattr(described, "_BLOCK", 2)
    np.testing.assert_allclose(similarity(made, made), expected, atol=1e-6)


def test_bits_are_as_near_as_the_share_that_agrees() -> None:
    rng = np.random.default_rng(2)
    queries, references = drawn([1, 1, 0], rng, bits=968), drawn([1, 0, 1, 1], rng, bits=968)
    scores = similarity(queries, references)
    for (q, one), (r, other) in product(
        zip(queries.owner, queries.codes, strict=True),
        zip(references.owner, references.codes, strict=True),
    ):
        differ = bin(int.from_bytes(one.tobytes()) ^ int.from_bytes(other.tobytes())).count("1")
        assert scores[q, r] == pytest.approx(1 - differ / 968, abs=1e-6)
    assert np.isneginf(scores[2]).all() and np.isneginf(scores[:, 1]).all()


def test_equal_distances_of_bits_are_equal_scores() -> None:
    one_bit = np.eye(64, dtype=np.uint8)
    made = Described("made", "1", np.packbits(one_bit, axis=1), np.arange(64), 64, 1.0)
    assert set(similarity(made, made).ravel()) == {np.float32(1), np.float32(62 / 64)}


def test_some_of_the_files_in_another_order() -> None:
    made = drawn([2, 0, 1, 3], np.random.default_rng(3))
    some = made.of(np.array([3, 1, 0]))
    assert some.files == 3 and some.unread == 1
    assert some.owner.tolist() == [0, 0, 0, 2, 2]
    np.testing.assert_array_equal(some.codes, made.codes[[3, 4, 5, 0, 1]])
    np.testing.assert_array_equal(some.wholes, [0, 3])


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = drawn([1, 0, 2], np.random.default_rng(4))
    made.save(tmp_path / "made.npz")
    again = Described.load(tmp_path / "made.npz")
    np.testing.assert_array_equal(again.codes, made.codes)
    np.testing.assert_array_equal(again.owner, made.owner)
    assert (again.system, again.version, again.files) == ("made", "1", 3)
    assert (again.seconds, again.threads, again.embed_seconds) == (1.0, described.THREADS, None)
