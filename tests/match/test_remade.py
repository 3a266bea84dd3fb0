"""Which of two pictures was encoded from the other, by real encoders."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint import Fingerprint, Hashes, Quality
from ris_jobs.fingerprint.decode import decode
from ris_jobs.match.orientation import inverse
from ris_jobs.match.remade import Rounding, remade

NONE = Hashes((0,) * 8, (0,) * 8, bytes(32), 0), Quality(0, 0, ())


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return dict(photos())["coffee"].resize((600, 400), Image.Resampling.LANCZOS)


def encoded(image: Image.Image, fmt: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def reopened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def seen(data: bytes) -> Fingerprint:
    d = decode(data, max_pixels=10**7, truncated="reject")
    return Fingerprint(
        d.width, d.height, d.format, 1, d.exif_orientation, *NONE, d.traces, d.sample
    )


def roundings(one: bytes, two: bytes, turned: int = 1) -> tuple[Rounding | None, Rounding | None]:
    found = remade(seen(one), seen(two), turned)
    assert found is not None
    return found.first, found.second


@pytest.mark.parametrize("source", [{"fmt": "WEBP", "quality": 85}, {"fmt": "PNG"}])
@pytest.mark.parametrize("quality", [60, 95])
def test_a_jpeg_is_rounded_from_what_it_was_made_of(
    photo: Image.Image, source: dict[str, Any], quality: int
) -> None:
    parent = encoded(photo, **source)
    first, second = roundings(encoded(reopened(parent), quality=quality), parent)
    assert second is None
    assert first is not None and first.fits > 0.85 and 0.85 < first.spread < 1.2


def test_two_jpegs_tell_whichever_is_the_coarser(photo: Image.Image) -> None:
    fine, coarse = encoded(photo, quality=92), encoded(photo, quality=70)
    down, up = encoded(reopened(fine), quality=70), encoded(reopened(coarse), quality=92)
    copy, source = roundings(down, fine)
    assert copy is not None and source is not None
    assert copy.fits > 0.95 and source.fits < 0.1
    copy, source = roundings(up, coarse)
    assert copy is not None and source is not None
    assert copy.fits > 0.85 and source.fits > 0.95 and source.spread < 0.6
    siblings = roundings(coarse, encoded(photo.convert("RGB"), "JPEG", quality=75))
    assert all(found is not None and found.fits < 0.5 for found in siblings)


def test_plain_ground_that_an_encoding_left_as_it_was_does_not_count() -> None:
    logo = Image.new("RGB", (320, 320), "white")
    for n in range(0, 320, 40):
        logo.paste((200, 30, 30), (n, n, n + 21, n + 21))
    found = remade(seen(encoded(logo, quality=90)), seen(encoded(logo, "PNG")), 1)
    assert found is not None and found.same == 0


def test_a_lossless_copy_in_other_colours_holds_what_an_encoding_left(photo: Image.Image) -> None:
    parent = encoded(photo, "WEBP", quality=85)
    toned = edits.colour_shift(reopened(parent).convert("RGB"), 0.9, 1.1, 0.9)
    copy, lossy = encoded(toned, "PNG"), encoded(toned, quality=92)
    for one, two, least, most in (
        (copy, parent, 0.6, 1.0),
        (parent, copy, 0.6, 1.0),
        (encoded(photo, "PNG"), lossy, 0.0, 0.1),
        (encoded(photo, "PNG"), encoded(toned, quality=100, subsampling=0), 0.0, 0.0),
        (lossy, parent, 0.0, 0.0),
    ):
        found = remade(seen(one), seen(two), 1)
        assert found is not None and found.same < 0.1 and least <= found.toned <= most


def test_what_was_made_of_a_jpeg_lies_on_its_values(photo: Image.Image) -> None:
    parent = encoded(photo, quality=75)
    kept = encoded(reopened(parent), "PNG")
    first, _ = roundings(parent, kept)
    assert first is not None and first.fits > 0.95 and first.spread < 0.3
    found = remade(seen(kept), seen(parent), 1)
    assert found is not None and found.same == 1


def test_a_caption_and_a_change_of_colours_do_not_hide_it(photo: Image.Image) -> None:
    parent = encoded(photo, "WEBP", quality=85)
    written = reopened(parent).convert("RGB")
    written.paste(written.transpose(Image.Transpose.ROTATE_180).crop((0, 0, 600, 100)), (0, 300))
    first, _ = roundings(encoded(written, quality=80), parent)
    assert first is not None and 0.6 < first.fits < 1
    shifted = edits.colour_shift(reopened(parent), 1.1, 1.0, 0.9)
    first, _ = roundings(encoded(shifted, quality=80), parent)
    assert first is not None and first.fits > 0.5


def test_clipped_colours_do_not_hide_it_either(photo: Image.Image) -> None:
    parent = encoded(photo, quality=90)
    bright = edits.colour_shift(reopened(parent), 1.25, 1.25, 0.75)
    copy, source = roundings(encoded(bright, quality=75), parent)
    assert copy is not None and copy.fits > 0.6
    assert source is not None and source.fits < 0.1


@pytest.mark.parametrize("turned", range(1, 9))
def test_in_every_orientation_also_by_exif(photo: Image.Image, turned: int) -> None:
    picture = photo.crop((0, 0, 571, 399))
    parent = encoded(picture, "PNG")
    exif = Image.Exif()
    exif[0x0112] = turned
    copy = encoded(picture, quality=80, exif=exif.tobytes())
    first, _ = roundings(copy, parent, turned)
    assert first is not None and first.fits > 0.95
    _, second = roundings(parent, copy, inverse(turned))
    assert second == first


def test_other_sizes_and_pictures_without_patches_say_nothing(photo: Image.Image) -> None:
    whole, part = encoded(photo), encoded(photo.crop((0, 0, 600, 392)))
    assert remade(seen(whole), seen(part), 1) is None
    assert remade(seen(whole), seen(encoded(photo.convert("P"), "GIF")), 1) is None


def first_encoded(one: bytes, two: bytes) -> bool | None:
    found = remade(seen(one), seen(two), 1)
    assert found is not None
    return found.first_encoded


def test_it_is_told_which_was_encoded_from_the_other_where_that_is_clear(
    photo: Image.Image,
) -> None:
    fine, png = encoded(photo, quality=92), encoded(photo, "PNG")
    down = encoded(reopened(fine), quality=60)
    assert first_encoded(down, fine) is True and first_encoded(fine, down) is False
    assert first_encoded(fine, png) is True and first_encoded(png, fine) is False
    # It fits what was made of it, as well.
    up = encoded(reopened(down), quality=95)
    assert first_encoded(up, down) is None
    assert first_encoded(encoded(reopened(down), "PNG"), down) is None
    # Both were made of a third, which neither is nearly.
    assert first_encoded(encoded(photo, quality=60), encoded(photo, quality=85)) is None
    assert first_encoded(encoded(photo, quality=70), encoded(photo, quality=75)) is None
