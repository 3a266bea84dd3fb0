"""JPEGs that were made of JPEGs, and such as were not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from ris_jobs.demo.edits import jpeg
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.ghosts import coefficients
from ris_jobs.fingerprint.requantised import QUALITIES, requantised

Photo = Callable[..., Image.Image]


def evidence(image: Image.Image, quality: int) -> dict[int, float]:
    """Of the image stored in this quality: earlier quality → evidence."""
    stored = Image.open(io.BytesIO(jpeg(image, quality)))
    table = stored.quantization[0]  # type: ignore[attr-defined]  # a JPEG has it
    found = requantised(coefficients(stored.convert("RGB"), 0), table)
    return dict(zip(QUALITIES, found, strict=True))


@pytest.mark.parametrize(("first", "second"), [(60, 90), (75, 85), (85, 75)])
def test_the_quality_of_before_is_found(photo: Photo, first: int, second: int) -> None:
    once = Image.open(io.BytesIO(jpeg(photo(320, 240), first)))
    found = evidence(once, second)
    assert abs(max(found, key=found.__getitem__) - first) <= 2
    assert found[first] > 0.01


@pytest.mark.parametrize("quality", [50, 75, 85, 95])
def test_what_was_never_a_jpeg_shows_none(photo: Photo, quality: int) -> None:
    assert max(evidence(photo(320, 240), quality).values()) < 0.08


def test_a_flat_picture_says_nothing() -> None:
    table = list(range(2, 66))
    assert set(requantised(np.zeros((10, 64), np.float32), table)) == {0.0}


def test_a_step_of_zero_stops_nothing() -> None:
    """Pillow writes such a table and decodes it."""
    values = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    values[:32] = 128
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=80)
    data = file.getvalue()
    at = data.index(b"\xff\xdb") + 5
    zeroed = data[: at + 2] + b"\0" + data[at + 3 :]
    decoded = decode(zeroed, max_pixels=10**6, truncated="reject")
    assert np.isfinite(decoded.traces.requantised).all()
