"""A tiny run, twice: the second fills nothing and finds the same pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.matching.pictures import cast, collection
from benchmarks.matching.scale import main
from tests.match.scenes import scene

TIMED = {"seconds", "stages", "cpu_s", "peak_mib"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(18):
        scene(number, (201, 150)).save(folder / f"{number}.png")
    return folder


def test_a_growing_home_is_measured_at_each_size(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    args = [str(photos), "--images", "6,10", "--new", "4", "--out", str(out)]
    main(args)
    small, large = json.loads((out / "results.json").read_text())["sizes"]
    assert (small["indexed"], large["indexed"], large["images"]) == (10, 14, 4)
    assert large["candidates"] >= large["pixels"] >= large["confirmed"] >= 1
    assert large["stages"]["search"] > 0 < large["stages"]["judge"]
    assert large["vectors"] >= 2 * 14 and large["peak_mib"] > 50
    (out / "10.json").unlink()
    main(args)
    same, again = json.loads((out / "results.json").read_text())["sizes"]
    assert same == small
    for name in large.keys() - TIMED:
        assert again[name] == large[name], name
    assert f"| 14 | {again['vectors']} | 100 × 75 | 4 | " in capsys.readouterr().out


def test_several_processes_fill_a_home_alike(photos: Path, tmp_path: Path) -> None:
    def filled(processes: int) -> dict[str, float]:
        out = tmp_path / str(processes)
        sizes = ["--images", "6", "--new", "4", "--processes", str(processes)]
        main([str(photos), *sizes, "--out", str(out)])
        found: dict[str, float] = json.loads((out / "results.json").read_text())["sizes"][0]
        return {name: value for name, value in found.items() if name not in TIMED}

    assert filled(2) == filled(1)


def test_windows_are_the_photos_cut_up(photos: Path, tmp_path: Path) -> None:
    of = cast([photos], 4, seed=0)
    assert (len(of.copied), len(of.strangers), of.capacity(3)) == (2, 2, 2 + 4 * 9)
    collection(of, 3, range(2 + 9), tmp_path / "pictures")
    files = sorted((tmp_path / "pictures").iterdir())
    assert [f.read_bytes() for f in files[:2]] == [f.read_bytes() for f in of.copied]
    rows = [np.hstack([np.asarray(Image.open(f)) for f in files[n : n + 3]]) for n in (2, 5, 8)]
    photo = np.asarray(Image.open(of.cut[0])).astype(int)
    assert np.abs(np.vstack(rows) - photo).mean() < 8


def test_too_few_photos_are_named(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(photos), "--images", "100", "--new", "4"])
    assert "18 images at most" in capsys.readouterr().err
