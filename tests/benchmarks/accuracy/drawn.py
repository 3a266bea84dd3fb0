"""Descriptions drawn at random."""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.described import Codes, Described


def drawn(counts: list[int], rng: np.random.Generator, bits: int | None = None) -> Described:
    """A description with that many codes of each file."""
    owner = np.repeat(np.arange(len(counts)), counts)
    codes: Codes = rng.standard_normal((len(owner), 5)).astype(np.float32)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    if bits is not None:
        codes = rng.integers(0, 256, (len(owner), bits // 8), np.uint8)
    return Described("made", "1", codes, owner, len(counts), seconds=1.0)
