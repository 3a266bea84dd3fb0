"""PDQ in NumPy: Meta's 256-bit perceptual hash, bit-compatible with its reference.

Algorithm and constants: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing
Algorithm" (Facebook, 2019) and the reference implementation in ThreatExchange. There, luma
is smoothed by two passes of a box filter and sampled on a 64 × 64 grid; both are linear and
separable, so here they are one matrix for the rows and one for the columns: sparse ones,
which also keeps a BLAS from starting threads inside every thread of the pipeline.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["pdq", "pdq_distance"]

Matrix = npt.NDArray[np.float32]

_GRID = 64
_SIDE = 16


def pdq(luma: npt.NDArray[np.uint8]) -> tuple[bytes, int]:
    """Hash (32 bytes, in the order of the published hexadecimal form) and quality (0–100).

    ``luma`` is uint8 (height, width). Hashes of quality below 50 are not to be matched.
    """
    rows, columns = luma.shape
    grid = (_sampling(columns) @ (_sampling(rows) @ luma.astype(np.float32)).T).T
    frequencies = _dct() @ grid @ _dct().T
    # The reference takes the lower of the two middle values: 128 bits are set.
    median = np.partition(frequencies, _SIDE * _SIDE // 2 - 1, axis=None)[_SIDE * _SIDE // 2 - 1]
    bits = np.packbits((frequencies > median).ravel(), bitorder="little")
    return bits[::-1].tobytes(), _quality(grid)


def pdq_distance(one: bytes, other: bytes) -> int:
    """Hamming distance of two PDQ hashes, 0–256; at most 31 is the usual threshold."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def _quality(grid: Matrix) -> int:
    """Sum of the gradients of the grid, each cut to whole hundredths of the luma range."""
    steps = (np.diff(grid, axis=0).ravel(), np.diff(grid, axis=1).ravel())
    total = sum(int(np.abs(np.trunc(step * 100 / 255)).sum()) for step in steps)
    return min(total // 90, 100)


@lru_cache(maxsize=512)
def _sampling(length: int) -> sparse.csr_array:
    """Two box filters, then 64 samples, of a signal: shape (64, length).

    A box is the mean over about 1/128 of the length, narrower at the ends.
    """
    from scipy import sparse  # a third of a second that only those who hash need pay

    window = (length + 2 * _GRID - 1) // (2 * _GRID)
    ahead = (window + 2) // 2 - 1
    behind = window - ahead - 1
    place = np.arange(length)
    width = np.minimum(place + ahead, length - 1) - np.maximum(place - behind, 0) + 1
    offset = place - ((np.arange(_GRID) + 0.5) * length / _GRID).astype(int)[:, None]
    last_box = ((offset >= -behind) & (offset <= ahead)) / width[(place - offset)[:, :1]]
    # Row j of the first box reaches the columns j - behind to j + ahead: sums over a window.
    total = np.pad(np.cumsum(last_box / width, axis=1), ((0, 0), (1, 0)))
    until = np.minimum(place + behind + 1, length)
    both_boxes = total[:, until] - total[:, np.maximum(place - ahead, 0)]
    both_boxes[both_boxes < 1e-12] = 0  # what rounding left outside the boxes
    return sparse.csr_array(both_boxes.astype(np.float32))


@lru_cache(maxsize=1)
def _dct() -> Matrix:
    """The first 16 frequencies of a 64-point DCT-II without its constant, shape (16, 64)."""
    frequency, place = np.arange(1, _SIDE + 1)[:, None], np.arange(_GRID)[None, :]
    wave = np.cos(np.pi / (2 * _GRID) * frequency * (2 * place + 1))
    scaled: Matrix = (np.sqrt(2 / _GRID) * wave).astype(np.float32)
    return scaled
