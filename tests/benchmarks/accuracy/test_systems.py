from __future__ import annotations

from itertools import islice, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.accuracy import systems
from benchmarks.accuracy.systems import Codes, Described, NotRun, similarity
from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.hashes import hashes
from ris_jobs.settings import MAX_PIXELS


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Two photos, what is no picture, and the first photo half the size."""
    (name, first), (other, second) = islice(photos(), 2)
    files = [tmp_path / f for f in (f"{name}.png", f"{other}.png", "broken.jpg", "small.jpg")]
    first.save(files[0])
    second.save(files[1])
    files[2].write_bytes(b"not a picture")
    first.resize((first.width // 2, first.height // 2)).save(files[3])
    return files


def _made(counts: list[int], rng: np.random.Generator, bits: int | None = None) -> Described:
    """A description with that many codes of each file."""
    owner = np.repeat(np.arange(len(counts)), counts)
    codes: Codes = rng.standard_normal((len(owner), 5)).astype(np.float32)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    if bits is not None:
        codes = rng.integers(0, 256, (len(owner), bits // 8), np.uint8)
    return Described("made", "1", codes, owner, len(counts), seconds=1.0)


def _plain(queries: Described, references: Described) -> npt.NDArray[np.float64]:
    """The rule of `similarity` for vectors, file by file."""
    scores = np.full((queries.files, references.files), -np.inf)
    for q, r in product(range(queries.files), range(references.files)):
        one = queries.codes[queries.owner == q].astype(np.float64)
        other = references.codes[references.owner == r].astype(np.float64)
        if len(one) and len(other):
            pairs = [one[0] @ part for part in other] + [part @ other[0] for part in one]
            scores[q, r] = max(pairs)
    return scores


@pytest.mark.parametrize("counts", [[1, 1, 1], [3, 1, 2], [0, 4, 1], [2, 0, 0], [0, 0]])
def test_vectors_are_as_near_as_whole_and_part_at_best(counts: list[int]) -> None:
    rng = np.random.default_rng(sum(counts))
    queries, references = _made(counts, rng), _made([2, 0, 1, 3], rng)
    scores = similarity(queries, references)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, _plain(queries, references), atol=1e-6)


def test_two_parts_are_not_compared() -> None:
    whole, part = np.eye(3, dtype=np.float32)[0], np.eye(3, dtype=np.float32)[1]
    one = Described("made", "1", np.stack([whole, part]), np.array([0, 0]), 1, 1.0)
    other = Described("made", "1", np.stack([-whole, part]), np.array([0, 0]), 1, 1.0)
    assert similarity(one, other) == 0


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _made([1, 0, 2, 3, 1, 1, 0], np.random.default_rng(1))
    expected = similarity(made, made)
    monkeypatch.setattr(systems, "_BLOCK", 2)
    np.testing.assert_allclose(similarity(made, made), expected, atol=1e-6)


def test_bits_are_as_near_as_the_share_that_agrees() -> None:
    rng = np.random.default_rng(2)
    queries, references = _made([1, 1, 0], rng, bits=968), _made([1, 0, 1, 1], rng, bits=968)
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
    made = _made([2, 0, 1, 3], np.random.default_rng(3))
    some = made.of(np.array([3, 1, 0]))
    assert some.files == 3 and some.unread == 1
    assert some.owner.tolist() == [0, 0, 0, 2, 2]
    np.testing.assert_array_equal(some.codes, made.codes[[3, 4, 5, 0, 1]])
    np.testing.assert_array_equal(some.wholes, [0, 3])


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = _made([1, 0, 2], np.random.default_rng(4))
    made.save(tmp_path / "made.npz")
    again = Described.load(tmp_path / "made.npz")
    np.testing.assert_array_equal(again.codes, made.codes)
    np.testing.assert_array_equal(again.owner, made.owner)
    assert (again.system, again.version, again.files) == ("made", "1", 3)
    assert (again.seconds, again.threads, again.embed_seconds) == (1.0, systems.THREADS, None)


def test_all_systems_are_listed_though_nothing_is_installed(tmp_path: Path) -> None:
    listed = [system.name for system in systems.systems(tmp_path)]
    assert listed[0] == "builtin" and len(set(listed)) == len(listed)
    assert {"resnet50", "sscd", "mobilenetv2-gem", "imagehash-phash", "pdq"} <= set(listed)
    assert {"imagededup-phash", "imagededup-cnn", "perception-phash", "fastdup"} <= set(listed)
    assert all(system.version for system in systems.systems(tmp_path))


def test_weights_that_are_not_here_are_the_reason(tmp_path: Path, paths: list[Path]) -> None:
    without = [s for s in systems.systems(tmp_path) if s.name in ("sscd", "imagededup-cnn")]
    for system in without:
        with pytest.raises(NotRun, match="weights absent"):
            system.describe(paths, lambda _: None)
    assert len(without) == 2


@pytest.mark.parametrize("name", ["builtin", "imagehash-phash", "pdq", "mobilenetv2-gem"])
def test_a_small_copy_is_nearest_to_its_photo(
    name: str, paths: list[Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    needs_weights = name == "mobilenetv2-gem"
    weights = request.getfixturevalue("shared") / "weights" if needs_weights else tmp_path
    (system,) = (s for s in systems.systems(weights) if s.name == name)
    done: list[int] = []
    described = system.describe(paths, done.append)
    assert sum(done) == len(paths) and described.seconds > 0
    assert described.files == 4 and described.owner.tolist() == [0, 1, 3] and described.unread == 1
    scores = similarity(described, described)
    assert scores[3, 0] > scores[3, 1] and np.isneginf(scores[3, 2])
    np.testing.assert_allclose(scores.diagonal()[[0, 1, 3]], 1, atol=1e-5)


def test_hashes_are_those_that_ris_jobs_keeps(paths: list[Path]) -> None:
    rgb = decode(paths[0].read_bytes(), max_pixels=MAX_PIXELS, truncated="reject").rgb
    kept = hashes(rgb)
    assert systems.pdq_bits(rgb).tobytes() == kept.pdq
    assert int.from_bytes(systems.imagehash_phash(rgb).tobytes()) == kept.phash[0]


def test_files_that_none_can_read_are_no_description(paths: list[Path], tmp_path: Path) -> None:
    (system,) = (s for s in systems.systems(tmp_path) if s.name == "pdq")
    with pytest.raises(NotRun, match="none of 1 files"):
        system.describe(paths[2:3], lambda _: None)
