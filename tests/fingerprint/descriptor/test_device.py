"""Where a network runs: its vectors say the same on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ris_jobs.errors import ConfigError, DeviceUnavailable
from ris_jobs.fingerprint.descriptor import builtin, load, spec, weights
from ris_jobs.fingerprint.descriptor.inference import TorchNetwork, device_of

GPUS = torch.cuda.device_count() if torch.cuda.is_available() else 0
on_gpu = pytest.mark.skipif(not GPUS, reason="no GPU here")


@pytest.mark.parametrize("name", ["cpu", "auto"])
@pytest.mark.skipif(GPUS > 0, reason="a GPU is here")
def test_without_a_gpu_the_cpu_computes(name: str) -> None:
    assert device_of(name) == torch.device("cpu")


@pytest.mark.skipif(GPUS > 0, reason="a GPU is here")
def test_a_gpu_that_cannot_be_used_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)  # so NVML counts with an old driver
    assert device_of("auto") == torch.device("cpu")
    with pytest.raises(ConfigError, match="can use 0 GPUs"):
        device_of("cuda")


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, torch.AcceleratorError])
def test_no_picture_is_to_blame_for_a_full_gpu(kind: type[RuntimeError]) -> None:
    def fails(_: torch.Tensor) -> torch.Tensor:
        raise kind("CUDA out of memory\nlong story")

    network = TorchNetwork(fails, spec("builtin"))
    side = network.spec.input_size
    with pytest.raises(DeviceUnavailable, match=r"cpu .*: CUDA out of memory\. Free it"):
        network(np.zeros((1, 3, side, side), np.uint8))


def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(
        ConfigError, match=rf"RIS_DEVICE is cuda:{GPUS}, but PyTorch can use {GPUS} "
    ):
        load("builtin", None, f"cuda:{GPUS}")


@on_gpu
def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert device_of("auto") == device_of("cuda:0") == torch.device("cuda:0")
    assert device_of("cpu") == torch.device("cpu")


@on_gpu
@pytest.mark.parametrize(("bf16", "least"), [(False, 0.9999), (True, 0.999)])
def test_a_gpu_gives_the_same_vectors(
    photo: Callable[..., Image.Image], bf16: bool, least: float
) -> None:
    model = replace(spec("builtin"), bf16=bf16)
    content = weights.read(model, None)
    cpu = TorchNetwork(builtin.plain(model, content), model)
    gpu = builtin.build(model, content, torch.device("cuda"))
    preprocess = load("builtin", None).preprocess
    batch = np.stack([preprocess(np.asarray(photo(160, 120, seed))) for seed in range(600)])
    assert (cpu(batch) * gpu(batch)).sum(1).min() > least
