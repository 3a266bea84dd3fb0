"""A network small enough to build in a moment, with weights in a file of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import safetensors.torch
import torch

from ris_jobs.fingerprint.descriptor import ModelSpec
from ris_jobs.fingerprint.descriptor.network import CopyNet

SHAPE: dict[str, list[int]] = {"widths": [16, 32, 48], "depths": [1, 2, 1]}


@pytest.fixture
def tiny(tmp_path: Path) -> ModelSpec:
    """Random weights and BatchNorm statistics, stored in `tmp_path`."""
    torch.manual_seed(0)
    net = CopyNet(SHAPE["widths"], SHAPE["depths"], 24)
    for _ in range(3):
        net(torch.randn(16, 3, 64, 64) * 2)
    weights = safetensors.torch.save(net.state_dict())
    (tmp_path / "tiny.safetensors").write_bytes(weights)
    return ModelSpec(
        name="tiny",
        version="3",
        kind="copynet",
        file="tiny.safetensors",
        sha256=hashlib.sha256(weights).hexdigest(),
        url=None,
        input_size=64,
        dim=24,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        network=SHAPE,
    )
