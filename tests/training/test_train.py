"""Two steps on small pictures: a run can be stopped and goes on as if it had not been."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

pytest.importorskip("matplotlib", reason="only training draws: pip install ris-jobs[bench]")
from ris_jobs.fingerprint.descriptor import builtin
from ris_jobs.fingerprint.descriptor.registry import MODELS
from training import export, splits, train, views
from training.optimiser import orthogonal
from training.train import Settings

SETTINGS = Settings(
    steps=4, pairs=8, small=32, large=64, widths=(8, 16), depths=(1, 1), dim=16, warmup=0.3
)


@pytest.fixture(scope="module")
def stored(photos: Path) -> views.Photos:
    return views.read(splits.split(photos, 4, 4).train)


def weights(run: train.Run) -> list[torch.Tensor]:
    return [t.clone() for t in (*run.net.state_dict().values(), *run.average.state_dict().values())]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_resumed_run_equals_uninterrupted_run(stored: views.Photos, tmp_path: Path) -> None:
    whole = train.start(SETTINGS)
    for _ in range(4):
        train.learn(stored, whole)
    first = train.start(SETTINGS)
    for _ in range(2):
        train.learn(stored, first)
    train.save(first, tmp_path / "checkpoint.pt")
    resumed = train.load(tmp_path / "checkpoint.pt")
    assert resumed.settings == SETTINGS and resumed.step == 2
    for _ in range(2):
        train.learn(stored, resumed)
    assert same(weights(whole), weights(resumed))


def test_learning_moves_weights_and_average(stored: views.Photos) -> None:
    run = train.start(SETTINGS)
    before = weights(run)
    for _ in range(2):
        train.learn(stored, run)
    moved = [not torch.equal(a, b) for a, b in zip(before, weights(run), strict=True)]
    assert sum(moved) > 0.8 * len(moved)


def test_the_seed_decides_the_start() -> None:
    assert same(weights(train.start(SETTINGS)), weights(train.start(SETTINGS)))
    other = Settings(**{**_fields(SETTINGS), "seed": 1})
    assert not same(weights(train.start(SETTINGS)), weights(train.start(other)))


def test_pictures_grow_and_the_rate_falls(stored: views.Photos) -> None:
    run = train.start(SETTINGS)
    sizes, rates = [], []
    for step in range(4):
        run.step = step
        train.schedule(run)
        sizes.append(train.pairs(stored, run)[0].shape[-1])
        rates.append(run.optimisers[0].param_groups[0]["lr"])
    assert sizes == [32, 32, 32, 64]
    assert rates[2] > rates[3] and rates[1] == max(rates)


def test_time_ends_a_run_before_its_steps(stored: views.Photos, tmp_path: Path) -> None:
    run = train.start(Settings(**{**_fields(SETTINGS), "steps": 10_000, "minutes": 0.02}))
    train.train(stored, run, tmp_path, every=1)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert 1 <= len(lines) == run.step < 10_000
    assert lines[-1]["progress"] == 1 and lines[-1]["views"] == 16 * run.step
    assert train.load(tmp_path / "checkpoint.pt").step == run.step


def test_what_was_logged_after_the_checkpoint_is_logged_once(
    stored: views.Photos, tmp_path: Path
) -> None:
    run = train.start(SETTINGS)
    train.learn(stored, run)
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"step"')
    train.train(stored, run, tmp_path, every=1)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_run_is_on_the_gpu_and_its_checkpoint_opens_anywhere(
    photos: Path, tmp_path: Path
) -> None:
    small = ["--kept", "4", "4", "--pairs", "8", "--widths", "8", "16", "--depths", "1", "1"]
    train.main(["--photos", str(photos), "--out", str(tmp_path), "--steps", "2", *small])
    stored = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert all(tensor.is_cuda for tensor in stored["net"].values())
    assert not any(p.is_cuda for p in train.load(tmp_path / "checkpoint.pt").net.parameters())


def test_a_run_goes_on_from_exported_weights(stored: views.Photos) -> None:
    first = train.start(SETTINGS)
    train.learn(stored, first)
    background = {builtin.BACKGROUND: torch.zeros(3, SETTINGS.dim)}
    exported = export.stored({**first.average.state_dict(), **background})
    again = train.go_on_from(exported, SETTINGS)
    assert again.step == 0 and again.settings.start == hashlib.sha256(exported).hexdigest()
    kept = [tensor.half() for tensor in first.average.parameters()]
    for net in (again.net, again.average):
        assert same(kept, [tensor.half() for tensor in net.parameters()])
    train.learn(stored, again)
    assert not same(kept, [tensor.half() for tensor in again.net.parameters()])


def test_the_command_line_starts_from_weights(photos: Path, tmp_path: Path) -> None:
    weights = MODELS / "builtin.safetensors"
    options = ["--photos", str(photos), "--out", str(tmp_path), "--start", str(weights)]
    run = train.opened(train.arguments([*options, "--lr", "0.001", "--small-until", "0.3"]))
    assert (
        run.settings.lr == 0.001
        and run.settings.kept == Settings().kept
        and run.settings.small_until == 0.3
    )
    assert run.settings.start == hashlib.sha256(weights.read_bytes()).hexdigest()
    with pytest.raises(SystemExit):
        train.arguments([*options, "--resume"])


def test_command_line_from_photos_to_checkpoint(photos: Path, tmp_path: Path) -> None:
    small = ["--kept", "4", "4", "--pairs", "8", "--widths", "8", "16", "--depths", "1", "1"]
    train.main(["--photos", str(photos), "--out", str(tmp_path), "--steps", "1", *small])
    run = train.load(tmp_path / "checkpoint.pt")
    assert run.step == 1 and run.settings.widths == (8, 16) and run.settings.depths == (1, 1)
    train.main(["--photos", str(photos), "--out", str(tmp_path), "--resume"])
    assert train.load(tmp_path / "checkpoint.pt").step == 1


def test_orthogonal_directions() -> None:
    matrix = torch.randn(12, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.5 and values.max() < 1.4
    assert orthogonal(matrix.T).shape == (40, 12)


def _fields(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
