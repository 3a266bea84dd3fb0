"""The contract of the vector store, on a real Milvus Lite and on a real Milvus server."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ris_jobs.errors import ConfigError, VectorsUnavailable
from ris_jobs.indexes import KINDS
from ris_jobs.match.candidates import Described, pair_up
from ris_jobs.settings import Settings
from ris_jobs.store import vectors as module
from ris_jobs.store.runs import Model
from ris_jobs.store.vectors import HASHES, REGIONS, WHOLES, Vectors, open_vectors
from tests.store.samples import MODEL


def unit(n: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    v = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return v / np.linalg.norm(v, axis=1, keepdims=True)


def wholes(ids: Iterable[int], vectors: np.ndarray) -> Described:
    return Described.of({i: v[None] for i, v in zip(ids, vectors, strict=True)})


@pytest.fixture(scope="module", params=["lite", "server"])
def milvus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Where each test may make a collection for its own model."""
    uri = None if request.param == "lite" else request.getfixturevalue("milvus_uri")
    yield Settings(home=tmp_path_factory.mktemp("home"), milvus_uri=uri)


@pytest.fixture(scope="module")
def shared_collection(milvus: Settings) -> Iterator[Vectors]:
    # Elsewhere: Milvus Lite would close it with the next one that is closed.
    shared = replace(milvus, home=milvus.home / "shared")
    with open_vectors(shared, replace(MODEL, version="shared")) as vectors:
        yield vectors


@pytest.fixture
def vectors(shared_collection: Vectors) -> Vectors:
    """An empty one: making one takes a server two seconds."""
    shared_collection.delete(sorted(set(shared_collection.ids())))
    return shared_collection


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Model:
    """One of this test's own, so that its collection is, too."""
    return replace(MODEL, version=request.node.originalname)


def test_search_finds_what_numpy_finds(vectors: Vectors) -> None:
    v = unit(300)
    vectors.upsert(wholes(range(1, 301), v))
    found = vectors.search(v[:20], 5)
    expected = v[:20] @ v.T
    order = np.argsort(-expected, axis=1)[:, :5]
    np.testing.assert_array_equal(found.ids, order + 1)
    np.testing.assert_allclose(found.cosines, np.take_along_axis(expected, order, 1), atol=1e-5)


def test_fewer_than_asked_for_are_padded(vectors: Vectors) -> None:
    vectors.upsert(wholes([7], unit(1)))
    found = vectors.search(unit(1), 3)
    assert found.ids.tolist() == [[7, -1, -1]]
    assert found.cosines[0, 1:].tolist() == [-1, -1]


def test_an_empty_collection_can_be_searched(vectors: Vectors) -> None:
    assert vectors.search(unit(1), 2).ids.tolist() == [[-1, -1]]


def test_upsert_replaces(vectors: Vectors) -> None:
    vectors.upsert(wholes([1, 2], unit(2)))
    vectors.upsert(wholes([1, 2], unit(2, seed=1)))
    assert vectors.count() == 2
    assert vectors.search(unit(2, seed=1), 1).cosines.min() > 0.999


def test_regions_are_found_by_wholes_and_find_wholes_alone(vectors: Vectors) -> None:
    v = unit(5)
    vectors.upsert(Described.of({1: v[:1], 2: v[1:4], 3: v[4:]}))
    assert vectors.count() == 5
    everywhere = vectors.search(v[2:3], 1)
    assert (everywhere.ids.item(), everywhere.parts.item()) == (2, 1)
    among_wholes = vectors.search(v[2:3], 5, [WHOLES])
    assert sorted(among_wholes.ids[0].tolist()) == [-1, -1, 1, 2, 3]
    assert set(among_wholes.parts[0, :3].tolist()) == {0}


def test_neighbours_are_looked_for_by_wholes_and_regions(vectors: Vectors) -> None:
    v = unit(4)
    vectors.upsert(Described.of({1: v[:1], 2: v[[1, 0]]}))
    near = vectors.neighbours(Described.of({2: v[[1, 0]]}), 3)
    (pair,) = pair_up(near, top_k=3, min_cosine=0.99, load=lambda ids: {})
    assert (pair.image_id, pair.other_id, pair.parts) == (1, 2, (0, 1))


def test_hashes_find_hashes_upright_and_inverted(vectors: Vectors) -> None:
    hashes = {1: bytes(32), 2: bytes(32), 3: b"\xff" * 32}
    some = Described.of({i: unit(1, seed=i) for i in hashes}, hashes)
    vectors.upsert(some)
    assert vectors.count() == 6
    found = vectors.search(some.wholes().vectors, 6)
    assert set(found.parts[found.ids >= 0].tolist()) == {0}
    _, _, upright, inverted = vectors.neighbours(Described.of({1: unit(1)}, {1: hashes[1]}), 3)
    near = [set(hits.ids[0][hits.cosines[0] > 0.99].tolist()) for _, hits in (upright, inverted)]
    assert near == [{1, 2}, {3}]


def test_large_batches_go_in_pieces(vectors: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BYTES", 7 * 4 * MODEL.dim)
    monkeypatch.setattr(module, "_QUERIES", 3)
    v = unit(20)
    vectors.upsert(wholes(range(1, 21), v))
    assert vectors.search(v, 1).ids.ravel().tolist() == list(range(1, 21))


def test_a_collection_without_partitions_gets_them(milvus: Settings, model: Model) -> None:
    with open_vectors(milvus, model) as vectors:
        vectors._client.release_collection(vectors.collection)
        for partition in (WHOLES, REGIONS, HASHES):
            vectors._client.drop_partition(vectors.collection, partition)
    with open_vectors(milvus, model) as vectors:
        vectors.upsert(wholes([1], unit(1)))
        assert vectors.search(unit(1), 1, [WHOLES]).ids.item() == 1


def test_delete_count_and_ids(vectors: Vectors) -> None:
    vectors.upsert(wholes(range(1, 11), unit(10)))
    vectors.delete([3, 4])
    assert vectors.count() == 8
    assert sorted(vectors.ids()) == [1, 2, 5, 6, 7, 8, 9, 10]
    assert sorted(vectors.ids(2, 7)) == [2, 5, 6]
    assert sorted(vectors.ids(7)) == [7, 8, 9, 10]


def test_recreate_empties(vectors: Vectors) -> None:
    vectors.upsert(wholes([1], unit(1)))
    before = vectors.collection
    vectors.recreate()
    assert vectors.count() == 0
    assert vectors.collection != before


def test_two_models_do_not_mix(milvus: Settings, model: Model) -> None:
    with open_vectors(milvus, model) as vectors:
        vectors.upsert(wholes([1], unit(1)))
        ours = vectors.collection
    with open_vectors(milvus, replace(model, version="2", dim=4)) as theirs:
        assert theirs.collection != ours
        assert theirs.count() == 0


def test_what_was_written_is_there_after_reopening(milvus: Settings, model: Model) -> None:
    with open_vectors(milvus, model) as vectors:
        name = vectors.collection
        vectors.upsert(wholes([1, 2], unit(2)))
    with open_vectors(milvus, model) as vectors:
        assert vectors.collection == name
        assert vectors.count() == 2
        assert vectors.search(unit(2), 1).ids.ravel().tolist() == [1, 2]


def test_a_server_that_does_not_answer_fails_at_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, milvus_uri="http://127.0.0.1:1")
    with pytest.raises(VectorsUnavailable, match=r"127\.0\.0\.1:1 cannot be used"):
        open_vectors(settings, MODEL)


def test_every_kind_finds_what_is_near_or_is_refused(milvus: Settings) -> None:
    lite = milvus.milvus_uri is None
    # Each waits for its index, so a server, which may, builds all at once.
    with ThreadPoolExecutor(1 if lite else len(KINDS)) as pool:
        refused = dict(zip(KINDS, pool.map(partial(refusal, milvus), KINDS), strict=True))
    lacking = {kind for kind, problem in refused.items() if problem}
    assert lacking in LACKING[lite], refused
    for kind in lacking:
        assert f"RIS_INDEX is {kind}, which Milvus " in refused[kind]


# Of Milvus Lite 3; of Milvus 2.3.5, and of 2.6 and later.
LACKING: Mapping[bool, Sequence[set[str]]] = {
    True: [{"IVF_RABITQ", "DISKANN"}],
    False: [{"HNSW_SQ", "IVF_RABITQ"}, set()],
}


def refusal(milvus: Settings, kind: str) -> str:
    """Why there is no such index; nothing if there is one and it finds what is near."""
    some, settings = unit(1500, 32), replace(milvus, index=kind)
    try:
        vectors = open_vectors(settings, replace(MODEL, version=kind, dim=32))
    except ConfigError as e:
        return str(e)
    with vectors:
        assert vectors.index == kind
        vectors.upsert(wholes(range(1500), some))
        if not built(vectors):
            # Milvus 2.3.5 of PyPI takes it, and answers by a makeshift index.
            assert kind == "DISKANN"
            return ""
        found = vectors.search(some[:50], 200)
        # A scan looks at the nearest quarter of what it asks for.
        exact = np.sort(some[:50] @ some.T)[:, ::-1][:, :50]
        assert found.ids[:, 0].tolist() == list(range(50))
        assert np.abs(found.cosines[:, :50] - exact).max() < 0.05, kind
        return ""


def built(vectors: Vectors, seconds: float = 60) -> bool:
    """Whether what was written is searched by the index from now on."""
    client, name, end = vectors._client, vectors.collection, time.monotonic() + seconds
    client.flush(name)
    while client.describe_index(name, "vector").get("pending_index_rows"):
        if vectors.index == "DISKANN" or time.monotonic() > end:
            return False
        time.sleep(0.2)
    client.release_collection(name)
    client.load_collection(name)
    return True


def test_a_refused_kind_leaves_no_collection_behind(milvus: Settings, model: Model) -> None:
    if not refusal(milvus, "IVF_RABITQ"):
        pytest.skip("this server refuses none")
    with pytest.raises(ConfigError):
        open_vectors(replace(milvus, index="IVF_RABITQ"), model)
    with open_vectors(milvus, model) as vectors:
        assert vectors.count() == 0


def test_another_kind_waits_until_the_collection_is_made_anew(
    milvus: Settings, model: Model
) -> None:
    with open_vectors(replace(milvus, index="HNSW"), model) as vectors:
        vectors.upsert(wholes([1, 2], unit(2)))
    with open_vectors(replace(milvus, index="IVF_SQ8"), model) as vectors:
        assert (vectors.index, vectors.wanted.name) == ("HNSW", "IVF_SQ8")
        assert vectors.search(unit(2), 1).ids.ravel().tolist() == [1, 2]
        vectors.recreate()
        assert vectors.index == "IVF_SQ8"


def test_a_collection_without_an_index_gets_one(milvus: Settings, model: Model) -> None:
    with open_vectors(milvus, model) as vectors:
        usual = vectors.index
        vectors._client.release_collection(vectors.collection)
        vectors._client.drop_index(vectors.collection, "vector")
    with open_vectors(milvus, model) as vectors:
        assert vectors.index == usual
        assert vectors.search(unit(1), 1).ids.item() == -1
