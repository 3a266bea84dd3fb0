"""ResNet50 and SSCD, built from files of their own kind with random weights."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import resnet50 as torchvision_resnet50

from ris_jobs.fingerprint.descriptor import Descriptor, ModelSpec, resnet50, spec, sscd, weights

DEVICES = [
    torch.device("cpu"),
    pytest.param(
        torch.device("cuda"),
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"),
    ),
]


def pinned(name: str, folder: Path) -> ModelSpec:
    found = spec(name)
    digest = hashlib.sha256((folder / found.file).read_bytes()).hexdigest()
    return replace(found, sha256=digest)


@pytest.mark.parametrize("device", DEVICES)
def test_resnet50_gives_the_pooled_features(tmp_path: Path, device: torch.device) -> None:
    torch.manual_seed(0)
    original = torchvision_resnet50().eval()
    torch.save(original.state_dict(), tmp_path / spec("resnet50").file)
    mine = pinned("resnet50", tmp_path)
    model = Descriptor(mine, resnet50.build(mine, weights.read(mine, tmp_path), device))
    batch = np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224), np.uint8)
    vectors = model.embed(batch)
    assert vectors.shape == (2, 2048)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    original.fc = torch.nn.Identity()
    pixels = (torch.from_numpy(batch) / 255 - torch.tensor(mine.mean).view(1, 3, 1, 1)) / (
        torch.tensor(mine.std).view(1, 3, 1, 1)
    )
    with torch.inference_mode():
        features = torch.nn.functional.normalize(original(pixels), dim=1).numpy()
    assert (vectors * features).sum(1).min() > 0.9999


def test_resnet50_weights_load_as_data(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("ran",))

    torch.save({"fc.weight": Evil()}, tmp_path / spec("resnet50").file)
    mine = pinned("resnet50", tmp_path)
    with pytest.raises(Exception, match=r"weights_only|Weights only"):
        resnet50.build(mine, weights.read(mine, tmp_path), torch.device("cpu"))


@pytest.mark.parametrize("device", DEVICES)
def test_sscd_runs_its_torchscript(tmp_path: Path, device: torch.device) -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 32), torch.nn.Flatten(), torch.nn.Linear(800, 512)
    )
    torch.jit.trace(net, torch.zeros(1, 3, 320, 320)).save(str(tmp_path / spec("sscd").file))
    mine = pinned("sscd", tmp_path)
    model = Descriptor(mine, sscd.build(mine, weights.read(mine, tmp_path), device))
    batch = np.random.default_rng(0).integers(0, 256, (3, 3, 320, 320), np.uint8)
    vectors = model.embed(batch)
    assert vectors.shape == (3, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
