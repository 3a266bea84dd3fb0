"""Known hashes are found within 31 bits, and nothing else is."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.match import banks
from ris_jobs.match.banks import MAX_DISTANCE, Hashes, Hit, near

PDQ = st.binary(min_size=32, max_size=32)
OWNED = list[tuple[int, bytes]]


def plain(images: OWNED, known: OWNED) -> set[Hit]:
    """The slow reference: one pair at a time."""
    distances = {
        (i, k): (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()
        for i, a in images
        for k, b in known
    }
    return {Hit(i, k, d) for (i, k), d in distances.items() if d <= MAX_DISTANCE}


def flipped(pdq: bytes, bits: list[int]) -> bytes:
    return (int.from_bytes(pdq) ^ sum(1 << bit for bit in bits)).to_bytes(32)


@given(st.lists(PDQ, max_size=6), st.lists(st.sets(st.integers(0, 255), max_size=60)), st.randoms())
def test_hits_are_those_of_the_plain_reference(
    hashes: list[bytes], changes: list[set[int]], rng: random.Random
) -> None:
    images = [(10 + n, pdq) for n, pdq in enumerate(hashes)]
    known = [
        (100 + n, flipped(rng.choice(hashes or [bytes(32)]), list(bits)))
        for n, bits in enumerate(changes)
    ]
    found = list(near(Hashes.of(images), Hashes.of(known)))
    assert len(found) == len(set(found))
    assert set(found) == plain(images, known)


@pytest.mark.parametrize("half", [range(128), range(128, 256), range(0, 256, 8)])
def test_31_bits_are_near_and_32_are_not(half: range) -> None:
    pdq = bytes(range(32))
    bits = list(half)[:32] if len(half) > 32 else list(half)
    at_31, at_32 = flipped(pdq, bits[:31]), flipped(pdq, bits)
    found = near(Hashes.of([(1, pdq)]), Hashes.of([(7, at_31), (8, at_32)]))
    assert list(found) == [Hit(1, 7, 31)]


def test_inverted_hashes_are_as_far_as_can_be() -> None:
    """256 bits do not fit where a distance is counted in a byte."""
    inverted = Hashes.of([(2, b"\xff" * 32)])
    assert list(near(Hashes.of([(1, bytes(32))]), inverted)) == []


def test_tiles_leave_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banks, "_IMAGES", 3)
    monkeypatch.setattr(banks, "_KNOWN", 4)
    rng = np.random.default_rng(0)
    images = [(n, rng.bytes(32)) for n in range(10)]
    known = [(100 + n, flipped(images[n % 10][1], list(range(n)))) for n in range(11)]
    assert set(near(Hashes.of(images), Hashes.of(known))) == plain(images, known)


def test_nothing_to_compare() -> None:
    some, none = Hashes.of([(1, bytes(32))]), Hashes.of([])
    assert list(near(some, none)) == list(near(none, some)) == []
