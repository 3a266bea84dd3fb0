from __future__ import annotations

import io
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ris_jobs.demo.edits import webp
from ris_jobs.fingerprint.vp8 import quantiser

Photo = Callable[..., Image.Image]


def frame(data: bytes) -> bytes:
    return data[data.index(b"VP8 ") + 8 :]


def test_the_quantiser_follows_the_quality(photo: Photo) -> None:
    found = [quantiser(frame(webp(photo(320, 240), q))) for q in (100, 95, 85, 75, 50, 20, 0)]
    assert None not in found
    assert found == sorted(found)
    assert found[0] == 0 and found[-1] > 100


def test_a_lossless_or_broken_frame_has_none(photo: Photo) -> None:
    out = io.BytesIO()
    photo(64, 64).save(out, "WEBP", lossless=True)
    assert quantiser(out.getvalue()[20:]) is None
    assert quantiser(b"") is None


@given(st.binary(max_size=200))
def test_any_bytes_give_an_index_or_none(data: bytes) -> None:
    for head in (b"", b"\x10\0\0\x9d\x01\x2a\0\0\0\0"):
        found = quantiser(head + data)
        assert found is None or 0 <= found <= 127
