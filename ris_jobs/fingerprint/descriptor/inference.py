"""Runs a torch module on uint8 batches: no gradients, channels last, bfloat16 where native,
on the CPU or a GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ris_jobs.errors import ConfigError, DeviceUnavailable
from ris_jobs.fingerprint.descriptor.registry import ModelSpec

CPU = torch.device("cpu")
# Of NVIDIA's compute capabilities the first with it.
_BF16 = (8, 0)
# On a CPU more pictures at once are slower: what a layer leaves no longer fits into its cache.
_AT_ONCE = {"cpu": 64, "cuda": 512}


@dataclass(frozen=True, slots=True)
class TorchNetwork:
    """Calls `module`, which is on `device`, on normalised (n, 3, s, s) pictures of `dtype`; gives
    unit vectors."""

    module: Callable[[Tensor], Tensor]
    spec: ModelSpec
    dtype: torch.dtype = torch.float32
    device: torch.device = CPU

    def __call__(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        size = _AT_ONCE[self.device.type]
        try:
            parts = [self._vectors(batch[i : i + size]) for i in range(0, len(batch), size)]
        except (torch.OutOfMemoryError, torch.AcceleratorError) as error:
            # No picture is to blame, as it would be for what else is raised here.
            raise DeviceUnavailable(str(self.device), str(error).partition("\n")[0]) from error
        return np.concatenate(parts)

    def _vectors(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            vectors = normalize(self.module(self._inputs(batch)).float(), dim=1)
            result: npt.NDArray[np.float32] = vectors.cpu().numpy()
        return result

    def _inputs(self, batch: npt.NDArray[np.uint8]) -> Tensor:
        mean, std = (
            torch.tensor(v, device=self.device).view(1, 3, 1, 1) * 255
            for v in (self.spec.mean, self.spec.std)
        )
        pixels = torch.tensor(batch, device=self.device)
        pixels = pixels.to(torch.float32, memory_format=torch.channels_last)
        return pixels.sub_(mean).div_(std).to(self.dtype)


def device_of(name: str) -> torch.device:
    """cpu, cuda or cuda:1; auto is a GPU where PyTorch can use one, else the CPU.

    Raises :class:`ConfigError` for a GPU that is not there.
    """
    # Counted are also those whose driver is too old.
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not seen):
        return CPU
    device = torch.device("cuda:0" if name == "auto" else name)
    if (device.index or 0) < seen:
        return device
    how = "its build is for the CPU" if torch.version.cuda is None else "look at nvidia-smi"
    raise ConfigError("RIS_DEVICE", f"is {name}, but PyTorch can use {seen} GPUs here: {how}")


def native_bf16(device: torch.device) -> bool:
    """Whether it multiplies bfloat16 itself; elsewhere it would be emulated, and slow."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= _BF16
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
