"""A loaded model: pictures to inputs, inputs to unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.fingerprint.descriptor.registry import ModelSpec, Network
from ris_jobs.fingerprint.regions import Box

# Chosen on copies of validation photos, where 1 and 5 do as well.
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Deterministic; may be called from several threads. ``background`` float32 (m, dim): vectors
    of pictures that everybody has, None for a model without them."""

    spec: ModelSpec
    network: Network
    background: npt.NDArray[np.float32] | None = None

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

    def commonness(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(n, dim) → (n,), −1…1: how near each is to pictures that everybody has, such as a page
        of text or a plain field; the mean of the nearest few cosines, 0 without a background.

        What is near to many says little by being near to one more: the score of a pair is its
        cosine less the mean of both commonnesses. That is the score normalisation of SSCD (Pizzi
        et al., arXiv 2202.10261) with β = 1, made symmetric.
        """
        if self.background is None:
            return np.zeros(len(vectors), np.float32)
        cosines = vectors @ self.background.T
        nearest = np.partition(cosines, -_NEAREST, axis=1)[:, -_NEAREST:]
        return np.asarray(nearest.mean(axis=1), np.float32)
