from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import systems
from benchmarks.accuracy.described import similarity
from benchmarks.accuracy.peers import NotRun
from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.descriptor import spec
from ris_jobs.fingerprint.hashes import hashes
from ris_jobs.fingerprint.regions import Regions
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


def test_other_regions_are_other_systems(tmp_path: Path) -> None:
    wanted = [Regions(), Regions(5, 2)]
    found = systems.with_regions(wanted, tmp_path)
    assert [s.name for s in found] == ["builtin@0+0", "builtin@5+2"]
    assert len({s.version for s in found}) == 2


def test_all_systems_are_listed_though_nothing_is_installed(tmp_path: Path) -> None:
    listed = [system.name for system in systems.systems(tmp_path)]
    assert listed[0] == "builtin" and len(set(listed)) == len(listed)
    assert {"resnet50", "sscd", "mobilenetv2-gem", "imagehash-phash", "pdq"} <= set(listed)
    assert {"imagededup-phash", "imagededup-cnn", "perception-phash", "fastdup"} <= set(listed)
    assert all(system.version for system in systems.systems(tmp_path))


def test_a_model_with_regions_is_listed_without_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replace(spec("builtin"), regions=Regions(2, 3))
    models = {"builtin": one, "sscd": spec("sscd")}
    monkeypatch.setattr(systems, "registered", lambda: models)
    first, second, third, *_ = systems.systems(tmp_path)
    assert [first.name, second.name, third.name] == ["builtin", "builtin-whole", "sscd"]
    assert first.version == f"{one.version}-{one.sha256[:12]}-{one.input_size}-2+3"
    assert second.version == f"{one.version}-{one.sha256[:12]}-{one.input_size}-0+0"


def test_regions_are_described_after_the_whole(paths: list[Path], tmp_path: Path) -> None:
    models = [replace(spec("builtin"), regions=Regions(grid)) for grid in (0, 2)]
    whole, parts = (
        systems.Model(model, tmp_path).describe(paths, lambda _: None) for model in models
    )
    assert parts.owner.tolist() == [0, 0, 0, 1, 1, 1, 3, 3, 3]
    np.testing.assert_allclose(parts.codes[parts.wholes], whole.codes, atol=0.02)


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
    assert described.files == 4 and set(described.owner) == {0, 1, 3} and described.unread == 1
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
