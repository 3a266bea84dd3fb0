"""From a folder of photos to the frontier, with tiny networks and a suite of a few files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.peers import NotRun
from benchmarks.accuracy.results import Interval
from benchmarks.accuracy.suite import Row, Suite
from ris_jobs.errors import ConfigError
from tests.match.scenes import scene
from training import splits, train, views

pytest.importorskip("matplotlib", reason="only training draws: pip install ris-jobs[bench]")
from training.frontier import __main__ as command
from training.frontier import measure, networks
from training.frontier.measure import Accuracy, Point
from training.frontier.report import front

TINY = train.Settings(
    steps=2, pairs=8, small=32, large=64, widths=(8, 16), depths=(1, 1), dim=16, kept=(4, 4)
)
KINDS = ("source", "source", "distractor", "copy", "copy", "distractor_copy")


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Two photos as they are and half as large, and two others."""
    rows = []
    for number, kind in enumerate(KINDS):
        row = Row(f"{number}.png", kind)
        if kind == "copy":
            row = replace(row, source=number - 3, edit="downscale_2", family="downscale")
        side = 2 if kind == "copy" else 1
        scene(number % 3 + 10 * (number > 4), (200 // side, 150 // side)).save(tmp_path / row.file)
        rows.append(row)
    for name in ("suite.json", "truth.jsonl"):
        (tmp_path / name).write_text("{}")
    return Suite(tmp_path, {"files": len(rows)}, tuple(rows))


def point(size: int, uap: float, speed: float) -> Point:
    share = Interval(uap, uap, uap)
    return Point("net", size, Accuracy(share, share, share), (measure.BATCH / speed,))


def test_the_front_is_what_nothing_beats_in_both() -> None:
    slow, beaten = point(1, 0.9, 10), point(2, 0.6, 20)
    middle, fast = point(3, 0.7, 30), point(4, 0.5, 40)
    assert front([slow, beaten, middle, fast]) == [fast, middle, slow]
    assert front([middle, replace(middle, size=9), point(5, 0.6, 30)]) == [middle]


def test_components_keep_what_varies_most() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(500, 6)) * [5, 3, 1, 0.1, 0.1, 0.1] + 2).astype(np.float32)
    mean, axes = measure.components(vectors)
    assert np.allclose(axes @ axes.T, np.eye(6), atol=1e-5)
    assert abs(axes[0, 0]) > 0.99 and abs(axes[1, 1]) > 0.99
    short = measure.projected(vectors, mean, axes[:3])
    assert short.shape == (500, 3) and np.allclose(np.linalg.norm(short, axis=1), 1, atol=1e-5)
    centred = vectors - mean
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    assert np.allclose(short @ short.T, centred @ centred.T, atol=0.2)


def test_a_network_is_trained_once_for_its_settings(photos: Path, tmp_path: Path) -> None:
    stored = views.read(splits.split(photos, 4, 4).train)
    halfway = train.start(TINY)
    train.learn(stored, halfway)
    train.save(halfway, tmp_path / "checkpoint.pt")
    assert networks.trained(TINY, lambda: stored, tmp_path).step == 2
    assert networks.trained(TINY, lambda: pytest.fail("trained again"), tmp_path).step == 2
    with pytest.raises(ConfigError, match="run of other settings"):
        networks.trained(replace(TINY, seed=1), lambda: stored, tmp_path)


def test_settings_differ_by_the_network_alone() -> None:
    narrow, wide = (networks.settings(networks.NETWORKS[n], 60_000, 3) for n in ("narrow", "wide"))
    assert replace(narrow, widths=wide.widths) == wide
    assert narrow.steps == 156 and narrow.seed == 3


def test_what_ships_is_measured_whole_at_every_size(suite: Suite, tmp_path: Path) -> None:
    shipped = networks.shipped()
    assert [m.spec.input_size for m in shipped] == list(networks.SIZES)
    said = measure.described(shipped[0], suite.paths, tmp_path / "kept", "these")
    assert said.codes.shape == (len(KINDS), 256)
    assert measure.accuracy(suite, said, seed=0).uap.value == 1
    absent = replace(shipped[0], weights=tmp_path / "nowhere")
    with pytest.raises(NotRun):
        measure.described(absent, [], tmp_path / "kept", "others")
    again = measure.described(absent, [], tmp_path / "kept", "these")
    assert np.array_equal(again.codes, said.codes)


def test_copies_are_made_of_the_photos_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_PER_VARIANT", 1)
    for number in range(12):
        scene(number, (200, 150)).save(tmp_path / f"{number}.jpg")
    given = [tmp_path / f"{number}.jpg" for number in range(11)]
    built = measure.copies(given, tmp_path / "suite", seed=0)
    assert built.about["photos"] == 11
    assert measure.copies(given, tmp_path / "suite", seed=0) == built


def test_a_run_from_photos_to_figures(
    photos: Path, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "BATCH", 2)
    monkeypatch.setattr(measure, "copies", lambda *_: suite)
    parts = splits.split(photos, 4, 4)
    monkeypatch.setattr(splits, "split", lambda _: parts)
    monkeypatch.setattr(networks, "settings", lambda network, views, seed: TINY)
    options = ["--photos", str(photos), "--out", str(tmp_path), "--networks", "narrow", "shipped"]
    command.main(options)
    found = json.loads((tmp_path / "frontier.json").read_text("utf-8"))
    assert [(p["name"], p["size"]) for p in found["points"]] == [
        (name, size) for name in ("narrow", "shipped") for size in networks.SIZES
    ]
    assert [n["views"] for n in found["networks"]] == [32, 32]
    assert all(p["images_per_second"] > 0 for p in found["points"] + found["shipped"])
    assert [(d["dim"], d["bytes"]) for d in found["dimensions"]][::4] == [(32, 128), (256, 1024)]
    assert found["model"].startswith("builtin-") and found["machine"]["cores"] >= 1
    assert (tmp_path / "frontier.png").stat().st_size > 10_000
