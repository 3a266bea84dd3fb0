"""From a checkpoint to a model that loads, described by its card."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ris_jobs.fingerprint.descriptor import Descriptor, builtin, registry
from training import splits, train, views

pytest.importorskip("matplotlib", reason="only training draws: pip install ris-jobs[training]")
from training import export


def test_exported_model_is_what_the_card_says(photos: Path, tmp_path: Path) -> None:
    settings = train.Settings(
        steps=2, pairs=8, small=32, large=64, widths=(16, 32), depths=(1, 1), dim=16, kept=(4, 4)
    )
    run = train.start(settings)
    train.train(views.read(splits.split(photos, *settings.kept).train), run, tmp_path, every=1)
    export.export(tmp_path, photos, "7", None, tmp_path, tmp_path)

    spec = registry.read_spec(tmp_path / "builtin.json")
    content = (tmp_path / "builtin.safetensors").read_bytes()
    assert spec.id == "builtin-7" and spec.input_size == 64 and spec.dim == 16
    assert spec.sha256 == hashlib.sha256(content).hexdigest()
    model = Descriptor(spec, builtin.build(spec, content))
    assert model.embed(np.zeros((2, 3, 64, 64), np.uint8)).shape == (2, 16)
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert spec.sha256 in card and "| mirrored |" in card and "- greyscale: 20 %" in card
    assert (tmp_path / "curve.png").stat().st_size > 1000
