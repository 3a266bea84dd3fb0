from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.described import similarity
from benchmarks.accuracy.peers import NotRun, environment, mobilenet, worker
from benchmarks.accuracy.peers.environment import Answer, Environment
from benchmarks.accuracy.systems import Peer, systems
from ris_jobs.demo.folder import photos


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Two photos, what is no picture, and a copy of the first; a name that looks like an option."""
    pictures = [photo for _, photo in islice(photos(), 2)]
    files = [tmp_path / name for name in ("-0.png", "1 and 'one'.png", "2.jpg", "3.jpg")]
    for path, picture in zip((files[0], files[1], files[3]), [*pictures, pictures[0]], strict=True):
        picture.save(path)
    files[2].write_bytes(b"not a picture")
    return files


def test_a_missing_environment_says_how_to_make_it(paths: list[Path], tmp_path: Path) -> None:
    missing = Environment(tmp_path / ".venv-peers", environment.PEERS.requirements)
    with pytest.raises(NotRun, match=r"^\.venv-peers is missing: make peers$"):
        Peer("perception-phash", "perception", missing).describe(paths, lambda _: None)


def test_a_peer_that_fails_says_why(paths: list[Path]) -> None:
    """The tests' own environment holds no peer."""
    ours = Environment(Path(sys.prefix), environment.PEERS.requirements)
    with pytest.raises(NotRun, match=r"perception-phash failed .* No module named 'perception'"):
        ours.run("perception-phash", paths)


def test_another_version_than_the_pinned_one_is_not_run(paths: list[Path]) -> None:
    class Outdated(Environment):
        def run(self, name: str, paths: Sequence[Path], weights: Path | None = None) -> Answer:
            return Answer(np.zeros((0, 8), np.uint8), np.zeros(4, bool), "0.1", 1.0, 1)

    old = Outdated(Path("old"), environment.PEERS.requirements)
    with pytest.raises(NotRun, match=r"0\.1 is installed"):
        Peer("imagededup-phash", "imagededup", old).describe(paths, lambda _: None)


def test_links_stand_in_for_files_of_any_name(paths: list[Path]) -> None:
    with worker.linked(paths) as folder:
        links = sorted(folder.iterdir())
        assert [link.name for link in links] == [
            f"000000{i}{path.suffix}" for i, path in enumerate(paths)
        ]
        assert [link.read_bytes() for link in links] == [path.read_bytes() for path in paths]


def test_features_get_length_one_and_bits_stay() -> None:
    features = {4: np.array([3.0, 4.0]), 1: np.array([0.0, 2.0])}
    rows = worker.stacked(features, [1, 4])
    assert rows.dtype == np.float32 and np.allclose(rows, np.array([[0, 1], [0.6, 0.8]]))
    bits = {0: worker.packed(b"\x01\xff")}
    assert worker.stacked(bits, [0]).tolist() == [[1, 255]]


PEERS = [system for system in systems(Path("weights")) if isinstance(system, Peer)]


def test_the_worker_knows_every_peer_that_is_listed() -> None:
    assert {peer.name: peer.package for peer in PEERS} == {
        name: package for name, (package, _) in worker.PEERS.items()
    }


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peers_find_a_copy(peer: Peer, paths: list[Path], request: pytest.FixtureRequest) -> None:
    if not peer.environment.folder.is_dir():
        pytest.skip(f"{peer.environment.folder.name} is not here (make peers)")
    weights = None
    if peer.weights is not None:
        weights = request.getfixturevalue("shared") / "weights" / mobilenet.SPEC.file
    done: list[int] = []
    found = Peer(peer.name, peer.package, peer.environment, weights)
    described = found.describe(paths, done.append)
    assert done == [4] and described.seconds > 0 and described.version == found.version
    assert described.owner.tolist() == [0, 1, 3]
    scores = similarity(described, described)
    assert scores[3, 0] > scores[3, 1] and np.isneginf(scores[3, 2])
    assert scores[3, 0] > 0.9
