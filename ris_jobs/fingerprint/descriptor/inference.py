"""Runs a torch module on uint8 batches: no gradients, channels last, bfloat16 where native."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ris_jobs.fingerprint.descriptor.registry import ModelSpec

# More pictures at once are slower: what a layer leaves no longer fits into the cache.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class TorchNetwork:
    """Calls `module` on normalised (n, 3, s, s) pictures of `dtype`; gives unit vectors."""

    module: Callable[[Tensor], Tensor]
    spec: ModelSpec
    dtype: torch.dtype = torch.float32

    def __call__(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        parts = [self._vectors(batch[i : i + _AT_ONCE]) for i in range(0, len(batch), _AT_ONCE)]
        return np.concatenate(parts)

    def _vectors(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            vectors = normalize(self.module(self._inputs(batch)).float(), dim=1)
            result: npt.NDArray[np.float32] = vectors.numpy()
        return result

    def _inputs(self, batch: npt.NDArray[np.uint8]) -> Tensor:
        mean, std = (
            torch.tensor(v).view(1, 3, 1, 1) * 255 for v in (self.spec.mean, self.spec.std)
        )
        pixels = torch.tensor(batch).to(torch.float32, memory_format=torch.channels_last)
        return pixels.sub_(mean).div_(std).to(self.dtype)


def native_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; elsewhere it would be emulated, and slow."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
