"""A loaded model: pictures to inputs, inputs to unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint.descriptor.registry import ModelSpec, Network
from ris_jobs.fingerprint.regions import Box


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

    def squares(
        self, rgb: npt.NDArray[np.uint8], reduced: npt.NDArray[np.uint8], regions: Sequence[Box]
    ) -> npt.NDArray[np.uint8]:
        """(r, 3, s, s), one for each region of a picture, the whole first. Parts are cut from
        ``reduced``, the same picture at less pixels, which is enough for them and costs less."""
        height, width = reduced.shape[:2]
        parts = [self.preprocess(rgb)]
        for x0, y0, x1, y1 in regions[1:]:
            rows = slice(int(y0 * height), max(int(y0 * height) + 1, round(y1 * height)))
            columns = slice(int(x0 * width), max(int(x0 * width) + 1, round(x1 * width)))
            parts.append(self.preprocess(reduced[rows, columns]))
        return np.stack(parts)

    def embed(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(n, 3, s, s) → (n, dim), rows of length 1. Raises ValueError for any other input."""
        wanted = (3, self.spec.input_size, self.spec.input_size)
        if batch.dtype != np.uint8 or batch.shape[1:] != wanted:
            got = f"{batch.dtype} {batch.shape}"
            raise ValueError(f"{self.spec.id} takes uint8 (n, *{wanted}), got {got}")
        if not len(batch):
            return np.empty((0, self.spec.dim), np.float32)
        return self.network(batch)
