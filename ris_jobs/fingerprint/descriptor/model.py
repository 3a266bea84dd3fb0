"""A loaded model: pictures to inputs, inputs to unit vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint.descriptor.registry import ModelSpec, Network


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Deterministic; may be called from several threads."""

    spec: ModelSpec
    network: Network

    def preprocess(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """(h, w, 3) → (3, s, s): squashed to a square, bilinear with antialiasing (Pillow)."""
        side = self.spec.input_size
        square = Image.fromarray(rgb).resize((side, side), Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))

    def embed(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(n, 3, s, s) → (n, dim), rows of length 1. Raises ValueError for any other input."""
        wanted = (3, self.spec.input_size, self.spec.input_size)
        if batch.dtype != np.uint8 or batch.shape[1:] != wanted:
            got = f"{batch.dtype} {batch.shape}"
            raise ValueError(f"{self.spec.id} takes uint8 (n, *{wanted}), got {got}")
        if not len(batch):
            return np.empty((0, self.spec.dim), np.float32)
        return self.network(batch)
