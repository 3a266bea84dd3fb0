"""A tiny run, twice: the second fills nothing and measures the same pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.matching.pictures import cast, collection
from benchmarks.matching.scale import main
from tests.match.scenes import scene


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(18):
        scene(number, (201, 150)).save(folder / f"{number}.png")
    return folder


def test_what_is_filled_is_measured_anew(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = [str(photos), "--images", "10", "--new", "4", "--out", str(tmp_path / "out")]
    main(args)
    (first,) = json.loads((tmp_path / "out" / "results.json").read_text())["sizes"]
    assert (first["indexed"], first["images"]) == (14, 4)
    assert first["candidates"] >= first["pixels"] >= first["confirmed"] >= 1
    assert first["stages"]["search"] > 0 < first["stages"]["judge"]
    assert first["vectors"] >= 2 * 14 and first["peak_mib"] > 50
    main(args)
    (again,) = json.loads((tmp_path / "out" / "results.json").read_text())["sizes"]
    timed = {"seconds", "stages", "peak_mib"}
    assert {k: again[k] for k in again.keys() - timed} == {
        k: first[k] for k in first.keys() - timed
    }
    assert f"| 14 | {first['vectors']} | 101 × 75 | 4 | " in capsys.readouterr().out


def test_windows_are_the_photos_cut_up(photos: Path, tmp_path: Path) -> None:
    of = cast([photos], 4, seed=0)
    assert (len(of.copied), len(of.strangers), of.capacity(3)) == (2, 2, 2 + 4 * 9)
    collection(of, 3, 2 + 9, tmp_path / "pictures")
    files = sorted((tmp_path / "pictures").iterdir())
    assert [f.read_bytes() for f in files[:2]] == [f.read_bytes() for f in of.copied]
    rows = [np.hstack([np.asarray(Image.open(f)) for f in files[n : n + 3]]) for n in (2, 5, 8)]
    photo = np.asarray(Image.open(of.cut[0])).astype(int)
    assert np.abs(np.vstack(rows) - photo).mean() < 8


def test_too_few_photos_are_named(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(photos), "--images", "100", "--new", "4"])
    assert "18 images at most" in capsys.readouterr().err
