"""Hashes: the published ones, the same on every machine, in every orientation."""

from __future__ import annotations

from collections.abc import Callable

import imagehash
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ris_jobs.fingerprint.hashes import WORKING_SIDE, hamming, hashes
from ris_jobs.fingerprint.pdq import pdq, pdq_distance

Photo = Callable[..., Image.Image]

# Width, height, seed of a made picture; then PDQ and its quality as pdqhash 0.2.8 (the binding
# of ThreatExchange's C++) gives them, and pHash and dHash as imagehash 4.3.2 does.
GOLDEN = [
    (120, 80, 1, "1ccdba044edfbef5eab472682b60a95419dc11a95906987d465f170af84fb90d", 100,
     "8fd8e928fd57204a", "3b1de86033ef6346"),
    (80, 120, 2, "3ab3d53a77b966342914593d869aee8a659646f92ec11bd12ec986c6c2c48b9b", 100,
     "daec91b1c9c441cf", "db21a1831b1fbcf8"),
    (333, 257, 3, "b9ab44cf6a26fb24303c7416c35a1e4e856bff03b1c42eef28451569b437738c", 100,
     "c518f6cb51fb11e0", "48a4a632e24046c6"),
    (700, 650, 4, "0c0ee645f31de8f3984e6aabfee47354195eb989ca737846f7880b91583c8a19", 100,
     "e4cc9e4409b3e7ca", "e466868e93869c1f"),
    (64, 64, 5, "0cb608e0fc7f441f3e75501a9da8dbafa47ef24040f73067478e0e72679a2976", 100,
     "bb352425b8f37701", "4f3f1819b84dcb93"),
]  # fmt: skip


@pytest.mark.parametrize(("width", "height", "seed", "pdq_hex", "quality", "p", "d"), GOLDEN)
def test_golden_values(
    photo: Photo, width: int, height: int, seed: int, pdq_hex: str, quality: int, p: str, d: str
) -> None:
    found = hashes(np.asarray(photo(width, height, seed)))
    assert (f"{found.phash[0]:016x}", f"{found.dhash[0]:016x}") == (p, d)
    # Luma here is whole grey values, there fractions: two bits near the median may change.
    assert pdq_distance(found.pdq, bytes.fromhex(pdq_hex)) <= 2
    assert found.pdq_quality == quality


def test_golden_pdq_of_a_picture_that_says_little(photo: Photo) -> None:
    faint = Image.blend(photo(200, 150, 6), Image.new("RGB", (200, 150), (90, 120, 60)), 0.7)
    found = hashes(np.asarray(faint))
    golden = "2205312fcde47884f9ab91c2ecddd6ee4d9ca834e124f43a6ad82393de29af38"
    assert pdq_distance(found.pdq, bytes.fromhex(golden)) <= 2
    assert found.pdq_quality == 29


def test_phash_and_dhash_are_those_of_imagehash_whatever_the_orientation(photo: Photo) -> None:
    image = photo(190, 130, 7)
    found = hashes(np.asarray(image))
    for orientation, turned in enumerate(_turned(image), start=1):
        few = 0 if orientation == 1 else 2
        assert hamming(found.phash[orientation - 1], int(str(imagehash.phash(turned)), 16)) <= few
        assert hamming(found.dhash[orientation - 1], int(str(imagehash.dhash(turned)), 16)) <= few


def _turned(image: Image.Image) -> list[Image.Image]:
    """What EXIF orientations 1 to 8 make of a picture, in NumPy's words and not in Pillow's."""
    a = np.asarray(image)
    turns = [a, a[:, ::-1], a[::-1, ::-1], a[::-1], a.swapaxes(0, 1), np.rot90(a, -1),
             np.rot90(a, 2).swapaxes(0, 1), np.rot90(a, 1)]  # fmt: skip
    return [Image.fromarray(np.ascontiguousarray(turn)) for turn in turns]


def test_orientations_of_a_copy_are_those_of_the_source_moved(photo: Photo) -> None:
    image = photo(150, 110, 8)
    source = hashes(np.asarray(image))
    for orientation, turned in enumerate(_turned(image), start=1):
        copy = hashes(np.asarray(turned))
        distances = [hamming(copy.phash[0], phash) for phash in source.phash]
        assert distances[orientation - 1] <= 2
        assert min(d for o, d in enumerate(distances, start=1) if o != orientation) > 10


def test_a_large_picture_is_hashed_from_its_averages(photo: Photo) -> None:
    image = photo(2 * WORKING_SIDE + 101, 2 * WORKING_SIDE + 3, 9)
    found = hashes(np.asarray(image))
    assert hamming(found.phash[0], int(str(imagehash.phash(image)), 16)) <= 2
    assert hamming(found.dhash[0], int(str(imagehash.dhash(image)), 16)) <= 2
    assert pdq_distance(found.pdq, pdq(np.asarray(image.convert("L")))[0]) <= 8


@pytest.mark.parametrize("size", [(40, 50), (63, 64), (65, 127), (129, 128), (20, 700)])
def test_pdq_is_that_of_the_plain_reference(photo: Photo, size: tuple[int, int]) -> None:
    luma = np.asarray(photo(*size, 10).convert("L"))
    (fast, fast_quality), (slow, slow_quality) = pdq(luma), plain_pdq(luma)
    assert pdq_distance(fast, slow) <= 2
    assert abs(fast_quality - slow_quality) <= 1


@pytest.mark.parametrize("size", [(8, 8), (8, 4000), (4000, 9)])
def test_all_sizes_have_all_hashes(photo: Photo, size: tuple[int, int]) -> None:
    found = hashes(np.asarray(photo(*size)))
    assert (len(found.phash), len(found.dhash), len(found.pdq)) == (8, 8, 32)


def test_a_flat_picture_has_a_pdq_of_no_quality() -> None:
    assert pdq(np.full((50, 70), 77, np.uint8))[1] == 0


def plain_pdq(luma: npt.NDArray[np.uint8]) -> tuple[bytes, int]:
    """PDQ step by step in plain numbers: boxes, samples, cosines, bits."""
    rows = [[float(v) for v in row] for row in luma]
    for _ in range(2):
        rows = [_plain_box(row) for row in rows]
        rows = _columns([_plain_box(column) for column in _columns(rows)])
    height, width = len(rows), len(rows[0])
    ys = [int((i + 0.5) * height / 64) for i in range(64)]
    xs = [int((i + 0.5) * width / 64) for i in range(64)]
    grid = [[rows[y][x] for x in xs] for y in ys]
    steps = [(grid[i][j], grid[i + 1][j]) for i in range(63) for j in range(64)]
    steps += [(grid[i][j], grid[i][j + 1]) for i in range(64) for j in range(63)]
    quality = min(100, sum(abs(int((u - v) * 100 / 255)) for u, v in steps) // 90)
    wave = [[np.cos(np.pi * (k + 1) * (2 * n + 1) / 128) for n in range(64)] for k in range(16)]
    half = [[sum(w * v for w, v in zip(wave[k], c, strict=True)) for c in _columns(grid)]
            for k in range(16)]  # fmt: skip
    cosines = [sum(w * v for w, v in zip(wave[m], half[k], strict=True))
               for k in range(16) for m in range(16)]  # fmt: skip
    median = sorted(cosines)[127]
    number = sum(1 << i for i, value in enumerate(cosines) if value > median)
    return number.to_bytes(32, "big"), quality


def _columns(rows: list[list[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _plain_box(values: list[float]) -> list[float]:
    window = (len(values) + 127) // 128
    ahead = (window + 2) // 2 - 1
    behind = window - ahead - 1
    around = (values[max(0, i - behind) : i + ahead + 1] for i in range(len(values)))
    return [sum(near) / len(near) for near in around]


bits = st.integers(0, 2**64 - 1)


@given(bits, bits, bits)
def test_hamming_is_a_distance(a: int, b: int, c: int) -> None:
    assert hamming(a, a) == 0 and hamming(a, b) == hamming(b, a) == bin(a ^ b).count("1")
    assert hamming(a, c) <= hamming(a, b) + hamming(b, c)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_pdq_distance_counts_bits(a: bytes, b: bytes) -> None:
    assert pdq_distance(a, b) == sum(bin(x ^ y).count("1") for x, y in zip(a, b, strict=True))
