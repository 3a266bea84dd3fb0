"""From a checkpoint to a model that loads, described by its card."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.accuracy import results
from benchmarks.accuracy.described import Described
from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.results import Report
from benchmarks.accuracy.suite import Row
from ris_jobs.errors import ConfigError
from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, builtin, registry
from training import splits, train, views

pytest.importorskip("matplotlib", reason="only training draws: pip install ris-jobs[bench]")
from training import export

SETTINGS = train.Settings(
    steps=2, pairs=8, small=32, large=64, widths=(16, 32), depths=(1, 1), dim=16, kept=(4, 4)
)
ROWS = [
    Row("0.jpg", "source"),
    Row("1.jpg", "distractor"),
    Row("2.jpg", "copy", source=0, edit="crop_50", family="crop", strength=0.5, trained=True),
]


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """The pictures of the background are the same each time; drawing them takes the longest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "background", cache(export.background))
        yield


@pytest.fixture(scope="module")
def finished(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    stored = views.read(splits.split(photos, *SETTINGS.kept).train)
    train.train(stored, train.start(SETTINGS), folder, every=1)
    return folder


def written(run: Path, photos: Path, out: Path, accuracy: Path | None = None) -> ModelSpec:
    export.export(run, photos, "7", accuracy, out, out / "record")
    return registry.read_spec(out / "builtin.json")


@pytest.fixture(scope="module")
def exported(finished: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported")
    written(finished, photos, out)
    return out


def report(*versions: str) -> Report:
    """Of a system named by each version."""
    near = np.array([[1, 0.1, 0.9], [0.1, 1, 0.2], [0.9, 0.2, 1]], np.float32)
    said = Described("", "", np.ones((3, 4), np.float32), np.arange(3), 3, seconds=1.0)
    found = [evaluate(ROWS, replace(said, system=f"system {v}", version=v), near) for v in versions]
    machine = {"cpu": "one", "cores": 2, "memory_gib": 4}
    suite = {"files": 3, "photos": 2, "seed": 0}
    return Report(machine, {"python": "3"}, suite, tuple(found), {"other": "weights absent"})


def test_exported_model_is_what_the_card_says(exported: Path) -> None:
    spec = registry.read_spec(exported / "builtin.json")
    content = (exported / "builtin.safetensors").read_bytes()
    assert spec.id == "builtin-7" and spec.input_size == 64 and spec.dim == 16
    assert spec.sha256 == hashlib.sha256(content).hexdigest()
    assert spec.regions == registry.spec("builtin").regions
    model = Descriptor(spec, builtin.build(spec, content, torch.device("cpu")))
    assert model.embed(np.zeros((2, 3, 64, 64), np.uint8)).shape == (2, 16)
    card = (exported / "MODEL_CARD.md").read_text("utf-8")
    assert spec.sha256 in card and "- greyscale: 20 %" in card and "Not measured." in card
    assert "Weights started from random values." in card
    assert "--steps 2 --pairs 8 --dim 16 --widths 16 32 --depths 1 1 --kept 4 4\n" in card
    assert (exported / "record" / "builtin-7.jsonl").read_text().count("\n") == 2
    assert (exported / "record" / "builtin-7.png").stat().st_size > 1000


def test_the_card_names_the_weights_that_were_gone_on_from(
    finished: Path, photos: Path, tmp_path: Path
) -> None:
    weights = export.stored(train.load(finished / "checkpoint.pt").average.state_dict())
    (tmp_path / "log.jsonl").write_bytes((finished / "log.jsonl").read_bytes())
    train.save(train.go_on_from(weights, SETTINGS), tmp_path / "checkpoint.pt")
    written(tmp_path, photos, tmp_path)
    card = (tmp_path / "MODEL_CARD.md").read_text("utf-8")
    assert f"sha256\n`{hashlib.sha256(weights).hexdigest()}`" in card
    assert "--start WEIGHTS\n" in card and "random values" not in card


def test_the_card_shows_what_the_bench_said_of_these_weights(
    exported: Path, finished: Path, photos: Path, tmp_path: Path
) -> None:
    spec = registry.read_spec(exported / "builtin.json")
    measured = tmp_path / "results.json"
    ours = f"7-{spec.sha256[:12]}-5+10"
    measured.write_text(results.to_json(report(ours, "resnet")), "utf-8")
    written(finished, photos, tmp_path, measured)
    card = (tmp_path / "MODEL_CARD.md").read_text("utf-8")
    assert f"| system {ours} | 1.000 (1.000–1.000) |" in card and "| crop_50 | yes | 1 |" in card
    assert "resnet" not in card and "weights absent" not in card
    assert "3 files made of 2 photos, seed 0" in card


def test_accuracy_of_other_weights_is_refused(
    exported: Path, finished: Path, photos: Path, tmp_path: Path
) -> None:
    measured = tmp_path / "results.json"
    measured.write_text(results.to_json(report("7-0123456789ab-5+10")), "utf-8")
    with pytest.raises(ConfigError, match="knows no weights"):
        written(finished, photos, tmp_path, measured)
    assert not (tmp_path / "builtin.json").exists()
    measured.write_text("{}")
    with pytest.raises(ConfigError, match="is no report"):
        export.measured(measured, registry.read_spec(exported / "builtin.json"))
