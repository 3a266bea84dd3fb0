from __future__ import annotations

import numpy as np

from training.background import background


def test_the_seed_decides_every_pixel() -> None:
    one, two, other = (background(12, seed) for seed in (1, 1, 2))
    assert [p.tobytes() for p in one] == [p.tobytes() for p in two]
    assert all(a.tobytes() != b.tobytes() for a, b in zip(one, other, strict=True))


def test_every_kind_comes_in_turn() -> None:
    pictures = [np.asarray(picture) for picture in background(12)]
    flat = [len(np.unique(p.reshape(-1, 3), axis=0)) == 1 for p in pictures]
    assert flat == [True, *[False] * 5] * 2
    assert all(p.dtype == np.uint8 and p.shape[2] == 3 for p in pictures)
