"""First bytes tell the format, for every file that Pillow writes and for what is no image."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ris_jobs.formats import HEAD, SUPPORTED, sniff


@pytest.mark.parametrize("fmt", SUPPORTED)
def test_supported_formats(
    photo: Callable[..., Image.Image], encoded: Callable[..., bytes], fmt: str
) -> None:
    assert sniff(encoded(photo(), fmt)[:HEAD]) == fmt


def test_avif_sequences_and_heif_are_told_apart() -> None:
    assert sniff(b"\0\0\0\x20ftypavis\0\0\0\0msf1miaf") == "AVIF"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic") == "HEIF"
    assert sniff(b"\0\0\0\x1cftypisom\0\0\0\0mp41") is None


@pytest.mark.parametrize("head", [b"", b"BM", b"BMW is a car and not a bitmap", b"RIFF....WAVE"])
def test_what_is_no_image(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=HEAD))
def test_any_bytes_have_an_answer(head: bytes) -> None:
    assert sniff(head) is None or isinstance(sniff(head), str)
