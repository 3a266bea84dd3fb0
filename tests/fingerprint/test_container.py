"""Counting frames and missing ends, also in files made to make it slow."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import pytest
from PIL import Image

from ris_jobs.fingerprint.container import MAX_FRAMES, count_frames, ended, ends_early

Encode = Callable[..., bytes]
NOTHING = Image.new("L", (8, 8))


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_whole_file_does_not_end_early_and_a_cut_one_does(
    photo: Callable[..., Image.Image], encoded: Encode, fmt: str
) -> None:
    data = encoded(photo(), fmt)
    assert not ends_early(data, fmt)
    assert not ends_early(data + b"trailing", fmt)
    for cut in (40, 100, len(data) // 2, len(data) - 20):
        assert ends_early(data[:cut], fmt)


def test_a_broken_chain_is_not_taken_for_a_cut() -> None:
    assert not ends_early(b"\xff\xd8\xff\xe0\0\x04abXXXXXX" + bytes(50), "JPEG")


def test_what_was_ended_ends(photo: Callable[..., Image.Image], encoded: Encode) -> None:
    data = encoded(photo(), "JPEG")
    assert ended(data[:-300]) == data[:-300] + b"\xff\xd9"
    header = data[: data.rindex(b"\xff\xda")]
    assert ended(header + b"\xff\xda\0") == header + b"\xff\xd9"


def gif_of(frames: int) -> bytes:
    frame = b"\x21\xf9\x04\0\0\0\0\0\x2c" + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x01\x44\0"
    return b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6) + frame * frames + b"\x3b"


def tiff_of(pages: int, *, circle: bool = False) -> bytes:
    """Directories without entries, each pointing to the next, or the last to the first."""
    places = [8 + 6 * i for i in range(pages)]
    after = [*places[1:], places[0] if circle else 0]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(struct.pack("<HI", 0, at) for at in after)


@pytest.mark.parametrize("count", [1, 7, 300])
def test_frames_and_pages_are_counted(count: int) -> None:
    assert count_frames(NOTHING, gif_of(count), "GIF") == count
    assert count_frames(NOTHING, tiff_of(count), "TIFF") == count
    assert count_frames(NOTHING, tiff_of(count, circle=True), "TIFF") == count


@pytest.mark.parametrize(
    ("data", "fmt"),
    [
        (gif_of(400_000), "GIF"),
        (tiff_of(400_000), "TIFF"),
        (gif_of(1)[:-1] + b"\x21\xfe" + b"\x01x" * 5_000_000, "GIF"),
        (b"\xff\xd8" + b"\xff\xfe\0\x02" * 2_000_000, "JPEG"),
    ],
)
def test_hostile_files_are_walked_in_bounded_time(data: bytes, fmt: str) -> None:
    start = time.process_time()
    assert 1 <= count_frames(NOTHING, data, fmt) <= MAX_FRAMES
    ends_early(data, fmt)
    assert time.process_time() - start < 2
