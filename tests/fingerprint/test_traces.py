"""What the encoding tells, read back from files whose making is known."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from ris_jobs.fingerprint import Trace, Traces
from ris_jobs.fingerprint.attempts import Attempts
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.traces import MAX_TEXT, clean_text, jpeg_quality

Photo = Callable[..., Image.Image]
Encode = Callable[..., bytes]


def traces(data: bytes) -> Traces:
    return decode(data, max_pixels=100_000, truncated="reject").traces


@pytest.mark.parametrize("quality", range(1, 101))
def test_jpeg_quality_is_the_one_it_was_written_with(
    photo: Photo, encoded: Encode, quality: int
) -> None:
    data = encoded(photo(32, 32), "JPEG", quality=quality)
    found = traces(data).jpeg_quality
    assert found is not None
    tables = Image.open(io.BytesIO(data)).quantization
    again = Image.open(io.BytesIO(encoded(photo(32, 32), "JPEG", quality=found))).quantization
    assert again == tables  # the lowest qualities share their tables
    assert found == quality or quality < 5


def test_foreign_tables_get_the_nearest_quality() -> None:
    steep = [min(255, 9 + 2 * (i // 8 + i % 8)) for i in range(64)]
    assert jpeg_quality(steep) in range(70, 95)
    assert jpeg_quality([1] * 64) == 100
    assert jpeg_quality([1] * 63) is None


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_subsampling(photo: Photo, encoded: Encode, subsampling: str) -> None:
    data = encoded(photo(), "JPEG", subsampling=subsampling)
    assert traces(data).subsampling == subsampling


def test_a_grey_jpeg_has_no_chroma(photo: Photo, encoded: Encode) -> None:
    assert traces(encoded(photo().convert("L"), "JPEG")).subsampling == "4:0:0"


@pytest.mark.parametrize(
    ("fmt", "options", "lossless"),
    [
        ("JPEG", {}, False),
        ("PNG", {}, True),
        ("BMP", {}, True),
        ("GIF", {}, False),
        ("WEBP", {}, False),
        ("WEBP", {"lossless": True}, True),
        ("AVIF", {}, False),
        ("TIFF", {}, True),
        ("TIFF", {"compression": "tiff_lzw"}, True),
        ("TIFF", {"compression": "jpeg"}, False),
    ],
)
def test_lossless(
    photo: Photo, encoded: Encode, fmt: str, options: dict[str, Any], lossless: bool
) -> None:
    found = traces(encoded(photo(), fmt, **options))
    assert found.lossless is lossless
    assert (found.jpeg_quality is not None) == (fmt == "JPEG")


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("extra", ["alpha", "exif", "animation"])
def test_lossless_webp_in_its_extended_form(
    photo: Photo, encoded: Encode, extra: str, lossless: bool
) -> None:
    image, options = photo(), {}
    if extra == "alpha":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    elif extra == "exif":
        options = {"exif": camera()}
    else:
        options = {"save_all": True, "append_images": [photo(seed=2)]}
    assert traces(encoded(image, "WEBP", lossless=lossless, **options)).lossless is lossless


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Maker", "Model 7\0\0", "Editor 1.2"
    exif[0x013B] = "someone"
    exif.get_ifd(0x8769).update({0x9003: "2020:02:03 04:05:06", 0xA002: 4000, 0xA003: 3000})
    return exif


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exif_fields_that_bear_on_provenance(photo: Photo, encoded: Encode, fmt: str) -> None:
    assert dict(traces(encoded(photo(), fmt, exif=camera())).metadata) == {
        "Make": "Maker",
        "Model": "Model 7",
        "Software": "Editor 1.2",
        "Artist": "someone",
        "DateTimeOriginal": "2020:02:03 04:05:06",
        "ExifImageWidth": "4000",
        "ExifImageHeight": "3000",
    }


def test_hostile_metadata_becomes_one_short_printable_line(photo: Photo, encoded: Encode) -> None:
    exif = Image.Exif()
    exif[0x010F] = "evil\x1b[31m\r\nname\u202e<script>"
    exif[0x0131] = "x" * 50_000
    found = traces(encoded(photo(), "JPEG", exif=exif)).metadata
    assert "\x1b" not in found["Make"] and "\u202e" not in found["Make"]
    assert found["Software"] == "x" * MAX_TEXT


@given(st.one_of(st.text(), st.binary(), st.integers()))
def test_clean_text_is_clean(value: str | bytes | int) -> None:
    text = clean_text(value)
    assert len(text) <= MAX_TEXT and text == text.strip()
    assert all(c == " " or c.isprintable() for c in text)
    text.encode()


def test_each_trace_fails_alone_and_says_so(photo: Photo, encoded: Encode) -> None:
    """Of a broken profile, and where a library raises whatever it likes at whichever trace."""
    data = encoded(photo(), "JPEG", icc_profile=b"no profile")
    found = decode(data, max_pixels=100_000, truncated="reject")
    assert [one.trace for one in found.lacking] == [Trace.PROFILE]
    assert found.traces.pixels is not None and found.sample
    tried = Attempts()
    for fatal in (KeyboardInterrupt, MemoryError):
        with pytest.raises(fatal):
            tried(Trace.PIXELS, partial(_fail, fatal()), 1)
    assert tried(Trace.PIXELS, partial(_fail, ValueError("a\n\u202eb" + 999 * "c")), 1) == 1
    assert tried(Trace.DETAIL, lambda: 2, 1) == 2
    (one,) = tried.lacking
    assert one.why.startswith("ValueError a bccc") and len(one.why) == 200
    assert str(one) == f"pixels: {one.why}"


def _fail(error: BaseException) -> int:
    raise error


def test_the_colour_profile_is_named_and_a_broken_one_is_not(photo: Photo, encoded: Encode) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile, name in ((srgb, "sRGB built-in"), (b"junk", None), (None, None)):
        data = encoded(photo(32, 32), "JPEG", icc_profile=profile)
        assert traces(data).metadata.get("ColourProfile") == name


def test_pixels_are_the_same_in_every_lossless_file(photo: Photo, encoded: Encode) -> None:
    files = [encoded(photo(), "PNG"), encoded(photo(), "WEBP", lossless=True)]
    assert len({traces(data).pixels for data in files}) == 1
    assert traces(encoded(photo(seed=2), "PNG")).pixels != traces(files[0]).pixels


def test_coarser_encodings_leave_more(photo: Photo, encoded: Encode) -> None:
    files = [encoded(photo(), "PNG"), *(encoded(photo(), "JPEG", quality=q) for q in (95, 75, 40))]
    found = [traces(data).coarseness for data in files]
    assert None not in found and found == sorted(found)
    webp = [traces(encoded(photo(), "WEBP", quality=q)).coarseness for q in (95, 75, 40)]
    assert None not in webp and webp == sorted(webp)
    assert traces(encoded(photo(), "AVIF")).coarseness is None


def test_the_tables_of_libjpeg_are_known(photo: Photo, encoded: Encode) -> None:
    assert traces(encoded(photo(), "JPEG", quality=80)).standard
    own = {0: [min(255, 9 + i) for i in range(64)], 1: [20] * 64}
    assert not traces(encoded(photo(), "JPEG", qtables=own)).standard


def test_a_jpeg_of_a_jpeg_tells_its_first_quality_however_it_is_turned(
    photo: Photo, encoded: Encode
) -> None:
    first = Image.open(io.BytesIO(encoded(photo(240, 160), "JPEG", quality=60)))
    turned = Image.Exif()
    turned[0x0112] = 6
    for exif in (b"", turned.tobytes()):
        found = traces(encoded(first, "JPEG", quality=85, exif=exif)).requantised
        assert 40 + found.index(max(found)) == 60
