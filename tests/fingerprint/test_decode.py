"""Every way a picture may be stored, and every way a file may be bad."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.fingerprint import Decoded
from ris_jobs.fingerprint.decode import decode as decode_with_limits
from ris_jobs.formats import SUPPORTED

Photo = Callable[..., Image.Image]
Encode = Callable[..., bytes]

# They do come up: a filter of ours keeps them in outside of pytest, as a test below shows.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

LOSSY = {"JPEG": {"quality": 95}, "WEBP": {"quality": 95}, "AVIF": {"quality": 90}}
SIDEWAYS = {5, 6, 7, 8}


def decode(data: bytes, *, max_pixels: int = 1_000_000, truncated: str = "reject") -> Decoded:
    return decode_with_limits(data, max_pixels=max_pixels, truncated=truncated)


def rejected(data: bytes, **limits: Any) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        decode(data, **limits)
    assert caught.value.detail and caught.value.detail.isprintable()
    return caught.value


def difference(decoded: Decoded, image: Image.Image) -> float:
    wanted = np.asarray(image.convert("RGB"), dtype=np.int16)
    assert decoded.rgb.shape == wanted.shape and decoded.rgb.dtype == np.uint8
    return float(np.abs(decoded.rgb - wanted).mean())


@pytest.mark.parametrize("fmt", SUPPORTED)
def test_every_format_gives_its_pixels(photo: Photo, encoded: Encode, fmt: str) -> None:
    decoded = decode(encoded(photo(), fmt, **LOSSY.get(fmt, {})))
    assert difference(decoded, photo()) < (12 if fmt == "GIF" else 5 if fmt in LOSSY else 0.01)
    assert (decoded.format, decoded.frames, decoded.exif_orientation) == (fmt, 1, 1)
    assert (decoded.width, decoded.height) == (120, 80)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_exif_orientations_show_the_same_picture(
    photo: Photo, encoded: Encode, fmt: str, orientation: int
) -> None:
    # What a camera held that way stores: the inverse of what a viewer must do.
    stored = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    image = photo() if stored is None else photo().transpose(stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(image, fmt, exif=exif, **LOSSY.get(fmt, {})))
    assert difference(decoded, photo()) < 5
    assert decoded.exif_orientation == orientation


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_without_meaning_is_none(photo: Photo, encoded: Encode, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    decoded = decode(encoded(photo(), "PNG", exif=exif))
    assert decoded.exif_orientation == 1 and difference(decoded, photo()) == 0


def test_broken_exif_does_not_matter(photo: Photo, encoded: Encode) -> None:
    decoded = decode(encoded(photo(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"))
    assert difference(decoded, photo()) == 0


@pytest.mark.parametrize("fmt", ["PNG", "TIFF"])
def test_sixteen_bit_grey_spans_the_whole_range(photo: Photo, encoded: Encode, fmt: str) -> None:
    grey = photo().convert("L")
    wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert wide.mode == "I;16"
    assert difference(decode(encoded(wide, fmt)), grey) == 0


def test_sixteen_bit_big_endian(photo: Photo) -> None:
    grey = photo().convert("L")
    samples = (np.asarray(grey).astype(">u2") * 257).astype(">u2").tobytes()
    assert difference(decode(_tiff(grey.size, 16, samples, order=">")), grey) == 0


def test_sixteen_bit_colour_png(photo: Photo) -> None:
    samples = np.asarray(photo()).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    assert difference(decode(_png(120, 80, rows, depth=16, colour=2)), photo()) == 0


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (257, 0), (1e6, -5e7)])
def test_wide_samples_without_a_fixed_white(
    photo: Photo, encoded: Encode, dtype: Any, scale: float, shift: float
) -> None:
    grey = np.array(photo().convert("L"))
    grey[0, :2] = 0, 255
    wide = Image.fromarray((grey * np.float64(scale) + shift).astype(dtype))
    assert difference(decode(encoded(wide, "TIFF")), Image.fromarray(grey)) < 0.6


def test_floats_from_zero_to_one_and_holes(photo: Photo, encoded: Encode) -> None:
    grey = np.asarray(photo().convert("L"))
    samples = (grey / 255).astype(np.float32)
    samples[0, :3] = (np.nan, np.inf, -np.inf)
    decoded = decode(encoded(Image.fromarray(samples), "TIFF"))
    assert (decoded.rgb[0, :3] == 0).all()
    assert (decoded.rgb[1:, :, 0] == grey[1:]).all()


def test_cmyk_jpeg_as_photoshop_inverts_it(photo: Photo, encoded: Encode) -> None:
    decoded = decode(encoded(photo().convert("CMYK"), "JPEG", quality=95))
    assert difference(decoded, photo()) < 5


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LAB", "LA", "RGBA"])
def test_modes_in_tiff(photo: Photo, encoded: Encode, mode: str) -> None:
    image = photo()
    if mode == "LAB":
        to_lab = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        stored = ImageCms.profileToProfile(image, *to_lab, outputMode="LAB")
    else:
        stored = image.convert(mode)
    wanted = image if mode == "LAB" else stored.convert("RGB")
    assert difference(decode(encoded(stored, "TIFF")), wanted) < 2.5


def half_clear(photo: Photo, mode: str) -> tuple[Image.Image, np.ndarray]:
    """A picture whose left half is transparent, and its pixels on neutral grey."""
    image = photo().convert(mode.removesuffix("A"))
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 60, 80))
    wanted = np.array(image.convert("RGB"))
    wanted[:, :60] = 128
    image = image.convert(mode)
    image.putalpha(alpha)
    return image, wanted


@pytest.mark.parametrize(("mode", "fmt"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "TIFF")])
def test_transparency_shows_neutral_grey(
    photo: Photo, encoded: Encode, mode: str, fmt: str
) -> None:
    image, wanted = half_clear(photo, mode)
    assert (decode(encoded(image, fmt)).rgb == wanted).all()


def test_lossy_formats_with_alpha(photo: Photo, encoded: Encode) -> None:
    image, wanted = half_clear(photo, "RGBA")
    for fmt in ("WEBP", "AVIF"):
        decoded = decode(encoded(image, fmt, quality=95))
        assert np.abs(decoded.rgb[:, :56].astype(int) - 128).max() <= 3
        assert np.abs(decoded.rgb[:, 64:].astype(int) - wanted[:, 64:]).mean() < 6


def test_half_transparent_is_half_grey(encoded: Encode) -> None:
    image = Image.new("RGBA", (20, 20), (255, 0, 0, 128))
    assert np.abs(decode(encoded(image, "PNG")).rgb[3, 3].astype(int) - (192, 64, 64)).max() <= 1


@pytest.mark.parametrize("fmt", ["PNG", "GIF"])
def test_palette_with_a_transparent_colour(encoded: Encode, fmt: str) -> None:
    image = Image.new("P", (30, 20), 1)
    image.putpalette([9, 9, 9, 250, 10, 20, 5, 200, 5])
    image.paste(2, (10, 0, 30, 20))
    decoded = decode(encoded(image, fmt, transparency=1))
    assert (decoded.rgb[:, :10] == 128).all() and (decoded.rgb[:, 10:] == (5, 200, 5)).all()


def test_palette_with_alpha_for_each_colour(encoded: Encode) -> None:
    image = Image.new("P", (30, 20), 1)
    image.putpalette([0, 0, 0, 255, 255, 255])
    decoded = decode(encoded(image, "PNG", transparency=bytes([255, 128])))
    assert np.abs(decoded.rgb.astype(int) - 192).max() <= 1


@pytest.mark.parametrize(("mode", "key"), [("RGB", (255, 0, 255)), ("L", 77), ("1", 1)])
def test_a_transparent_colour_key(encoded: Encode, mode: str, key: Any) -> None:
    image = Image.new(mode, (30, 20), key)
    image.paste(0, (10, 0, 30, 20))
    decoded = decode(encoded(image, "PNG", transparency=key))
    assert (decoded.rgb[:, :10] == 128).all() and (decoded.rgb[:, 10:] == 0).all()


def _icc(red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float]) -> bytes:
    """A matrix profile (ICC.1:2001) with these primaries, D65 white and gamma 2.2."""

    def xyz(x: float, y: float) -> np.ndarray:
        return np.array([x / y, 1, (1 - x - y) / y])

    bradford = np.array(
        [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
    )
    d65, d50 = xyz(0.3127, 0.3290), np.array([0.9642, 1, 0.8249])
    primaries = np.stack([xyz(*red), xyz(*green), xyz(*blue)], axis=1)
    primaries = primaries * np.linalg.solve(primaries, d65)
    scale = np.diag((bradford @ d50) / (bradford @ d65))
    columns = np.linalg.inv(bradford) @ scale @ bradford @ primaries

    def fixed(values: Any) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    name = b"a wide gamut\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": fixed(d50),
        b"rXYZ": fixed(columns[:, 0]),
        b"gXYZ": fixed(columns[:, 1]),
        b"bXYZ": fixed(columns[:, 2]),
        **{c + b"TRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 563) for c in (b"r", b"g", b"b")},
    }
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for tag, content in tags.items():
        content += bytes(-len(content) % 4)
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += content
    head = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body


DISPLAY_P3 = _icc((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))


def test_a_wide_gamut_profile_is_taken_to_srgb(encoded: Encode) -> None:
    image = Image.new("RGB", (16, 16), (200, 100, 50))
    decoded = decode(encoded(image, "PNG", icc_profile=DISPLAY_P3))
    # Linear P3 to linear sRGB by the published matrix, gamma 2.2 in, the sRGB curve out.
    linear = (np.array([200, 100, 50]) / 255) ** (563 / 256)
    matrix = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]])
    srgb = matrix @ linear
    wanted = np.where(srgb <= 0.0031308, 12.92 * srgb, 1.055 * srgb ** (1 / 2.4) - 0.055) * 255
    assert np.abs(decoded.rgb[0, 0] - wanted).max() <= 2
    assert np.abs(decoded.rgb[0, 0].astype(int) - (200, 100, 50)).max() > 8


def test_a_profile_under_transparency(photo: Photo, encoded: Encode) -> None:
    image, _ = half_clear(photo, "RGBA")
    decoded = decode(encoded(image, "PNG", icc_profile=DISPLAY_P3))
    opaque = decode(encoded(photo(), "PNG", icc_profile=DISPLAY_P3))
    assert (decoded.rgb[:, :60] == 128).all()
    assert (decoded.rgb[:, 60:] == opaque.rgb[:, 60:]).all()


@pytest.mark.parametrize(
    "profile",
    [b"", b"nonsense", bytes(500), DISPLAY_P3[:200], DISPLAY_P3[:128] + bytes(400)],
)
def test_a_broken_profile_is_ignored(photo: Photo, encoded: Encode, profile: bytes) -> None:
    assert difference(decode(encoded(photo(), "TIFF", icc_profile=profile)), photo()) == 0


def test_a_profile_for_other_pixels_is_ignored(photo: Photo, encoded: Encode) -> None:
    grey = photo().convert("L")
    assert difference(decode(encoded(grey, "PNG", icc_profile=DISPLAY_P3)), grey) == 0


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_the_first_frame_of_several(photo: Photo, encoded: Encode, fmt: str) -> None:
    frames = [photo(seed=seed) for seed in (1, 2, 3)]
    options = {"lossless": True} if fmt == "WEBP" else {"quality": 90} if fmt == "AVIF" else {}
    decoded = decode(encoded(frames[0], fmt, save_all=True, append_images=frames[1:], **options))
    assert decoded.frames == 3
    assert difference(decoded, frames[0]) < (12 if fmt == "GIF" else 5)


def test_the_first_picture_of_several_in_a_jpeg(photo: Photo, encoded: Encode) -> None:
    file = encoded(photo(), "MPO", save_all=True, append_images=[photo(seed=2)])
    decoded = decode(file)
    assert (decoded.format, decoded.frames) == ("JPEG", 1)
    assert difference(decoded, photo()) < 10


# Bad input


def test_no_bytes() -> None:
    assert rejected(b"").reason is Reason.EMPTY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a letter to you\n", "text, not an image"),
        (b"<!DOCTYPE html><p>404", "a web page"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "SVG"),
        (b"%PDF-1.7", "PDF"),
        (bytes(1000), "zero bytes"),
        (b"\x80\x81\x82\xfe", "not of any known image format"),
    ],
)
def test_what_is_no_image_is_said_to_be(content: bytes, said: str) -> None:
    rejection = rejected(content)
    assert rejection.reason is Reason.NOT_AN_IMAGE and said in rejection.detail


@pytest.mark.parametrize("fmt", ["JPEG2000", "ICO", "PPM", "TGA", "PCX"])
def test_other_formats_are_refused(photo: Photo, encoded: Encode, fmt: str) -> None:
    assert rejected(encoded(photo(), fmt)).reason in (
        Reason.UNSUPPORTED_FORMAT,
        Reason.NOT_AN_IMAGE,
    )


def test_a_known_format_that_is_not_read_is_named() -> None:
    rejection = rejected(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    assert rejection.reason is Reason.UNSUPPORTED_FORMAT and "HEIF" in rejection.detail


@pytest.mark.parametrize("fmt", SUPPORTED)
def test_a_cut_file_is_rejected_wherever_it_is_cut(photo: Photo, encoded: Encode, fmt: str) -> None:
    data = encoded(photo(), fmt)
    for cut in sorted({*range(32, 200, 24), *range(200, len(data) - 40, len(data) // 25)}):
        assert rejected(data[:cut]).reason in (Reason.TRUNCATED, Reason.CORRUPT), cut


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_cut_file_is_called_so(photo: Photo, encoded: Encode, fmt: str) -> None:
    data = encoded(photo(), fmt)
    rejection = rejected(data[: len(data) // 2])
    assert rejection.reason is Reason.TRUNCATED
    assert rejection.detail == f"the {fmt} file ends before its picture does"


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_a_cut_file_may_be_accepted_as_far_as_it_goes(
    photo: Photo, encoded: Encode, fmt: str
) -> None:
    data = encoded(photo(), fmt)
    decoded = decode(data[: len(data) * 3 // 4], truncated="accept")
    whole = decode(data)
    assert decoded.rgb.shape == whole.rgb.shape
    same = (np.abs(decoded.rgb.astype(int) - whole.rgb) < 40).all(axis=2).mean()
    assert 0.5 < same < 1
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_progressive_jpeg_may_be_cut_anywhere_after_its_first_scan(
    photo: Photo, encoded: Encode
) -> None:
    data = encoded(photo(), "JPEG", progressive=True)
    whole = decode(data).rgb.astype(int)
    for cut in range(len(data) // 2, len(data) - 2):
        accepted = decode(data[:cut], truncated="accept").rgb
        assert np.abs(accepted - whole).mean() < 25, cut


@pytest.mark.parametrize("fmt", SUPPORTED)
def test_accepting_cut_files_does_not_accept_nothing(
    photo: Photo, encoded: Encode, fmt: str
) -> None:
    data = encoded(photo(), fmt)
    for cut in (40, 60, 100):
        rejected(data[:cut], truncated="accept")


def test_a_bomb_is_seen_in_the_header() -> None:
    data = _png(30_000, 30_000, b"", depth=8, colour=2)
    rejection = rejected(data, max_pixels=178_956_970)
    assert rejection.reason is Reason.TOO_LARGE and "900000000" in rejection.detail


@pytest.mark.parametrize("fmt", SUPPORTED)
def test_the_pixel_limit_is_exact(photo: Photo, encoded: Encode, fmt: str) -> None:
    data = encoded(photo(), fmt)
    assert decode(data, max_pixels=9600).width == 120
    rejection = rejected(data, max_pixels=9599)
    assert rejection.reason is Reason.TOO_LARGE and "120 × 80" in rejection.detail


def test_compressed_text_that_explodes_is_refused(photo: Photo, encoded: Encode) -> None:
    png = encoded(photo(), "PNG")
    text = _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(200 << 20), 9))
    assert rejected(png[:33] + text + png[33:]).reason is Reason.CORRUPT


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 7)])
def test_too_thin_to_mean_anything(encoded: Encode, size: tuple[int, int]) -> None:
    rejection = rejected(encoded(Image.new("RGB", size), "PNG"))
    assert rejection.reason is Reason.TOO_SMALL
    assert f"{size[0]} × {size[1]}" in rejection.detail


def test_long_and_thin_is_decoded_up_to_a_limit(encoded: Encode) -> None:
    assert decode(encoded(Image.new("L", (8, 10_000)), "PNG")).rgb.shape == (10_000, 8, 3)
    assert rejected(encoded(Image.new("1", (65_536, 8)), "PNG")).reason is Reason.TOO_LARGE


MAGIC = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0\x08\0\0\0", b"MM\0*"]
MAGIC += [
    b"RIFF\xff\0\0\0WEBPVP8 ",
    b"\0\0\0\x1cftypavif\0\0\0\0",
    b"BM" + bytes(12) + b"\x28\0\0\0",
]


@given(st.sampled_from([b"", *MAGIC]), st.binary(max_size=600))
def test_noise_is_rejected_or_decoded(magic: bytes, noise: bytes) -> None:
    decoded_or_rejected(magic + noise)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    fmt=st.sampled_from([*SUPPORTED, "MPO", "TIFF-jpeg", "GIF-many", "AVIF-many", "PNG-icc"]),
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=12),
    near_start=st.booleans(),
    truncated=st.sampled_from(["reject", "accept"]),
)
def test_flipped_bits_are_rejected_or_decoded(
    mutable_files: dict[str, bytes],
    fmt: str,
    flips: list[tuple[float, int]],
    near_start: bool,
    truncated: str,
) -> None:
    data = bytearray(mutable_files[fmt])
    reach = min(300, len(data)) if near_start else len(data)
    for place, bits in flips:
        data[int(place * (reach - 1))] ^= bits
    decoded_or_rejected(bytes(data), truncated)


def decoded_or_rejected(data: bytes, truncated: str = "reject") -> None:
    try:
        decoded = decode(data, truncated=truncated)
    except ImageRejected as rejection:
        assert rejection.detail.isprintable()
    else:
        assert decoded.rgb.ndim == 3 and 1 <= decoded.frames <= 10_000


@pytest.fixture(scope="module")
def mutable_files(photo: Photo, encoded: Encode) -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    small = photo(48, 32)
    more = {"save_all": True, "append_images": [photo(48, 32, seed=2)]}
    files = {fmt: encoded(small, fmt, exif=exif) for fmt in SUPPORTED}
    files["MPO"] = encoded(small, "MPO", **more)
    files["TIFF-jpeg"] = encoded(small, "TIFF", compression="jpeg", exif=exif)
    files["GIF-many"] = encoded(small, "GIF", **more)
    files["AVIF-many"] = encoded(small, "AVIF", **more)
    files["PNG-icc"] = encoded(small.quantize(16), "PNG", icc_profile=DISPLAY_P3, transparency=3)
    return files


def test_many_threads_decode_as_one(photo: Photo, encoded: Encode) -> None:
    """Good, cut and accepted files at once: a global switch would leak between them."""
    data = encoded(photo(), "JPEG")
    whole, cut = decode(data).rgb, decode(data[:-900], truncated="accept").rgb

    def one(i: int) -> bool:
        if i % 3 == 0:
            return bool((decode(data).rgb == whole).all())
        if i % 3 == 1:
            return rejected(data[:-900]).reason is Reason.TRUNCATED
        return bool((decode(data[:-900], truncated="accept").rgb == cut).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(one, range(150)))


@pytest.mark.parametrize("option", ["-Walways", "-Werror"])
def test_no_warning_gets_out_and_none_becomes_an_error(
    photo: Photo, encoded: Encode, option: str
) -> None:
    """In a process of its own, because pytest handles warnings in its own way."""
    large = _png(9500, 9500, b"", depth=8, colour=2)  # Pillow would warn of a bomb
    exif = encoded(
        photo(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02"
    )  # and of this
    lzw = encoded(photo(), "TIFF", compression="tiff_lzw")[:6000]  # and libtiff of this
    program = """
import sys
from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint.decode import decode
for file in sys.argv[1:]:
    try:
        decode(bytes.fromhex(file), max_pixels=10**6, truncated="reject")
    except ImageRejected as rejection:
        print(rejection.reason)
"""
    arguments = [sys.executable, option, "-c", program, large.hex(), exif.hex(), lzw.hex()]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "too-large\ncorrupt\n")


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def _png(width: int, height: int, rows: bytes, *, depth: int, colour: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _tiff(size: tuple[int, int], bits: int, samples: bytes, *, order: str) -> bytes:
    """A grey TIFF of one strip."""
    tags = {
        256: size[0], 257: size[1], 258: bits, 259: 1, 262: 1,
        273: 8, 277: 1, 278: size[1], 279: len(samples),
    }  # fmt: skip
    file = io.BytesIO()
    file.write(
        (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(samples))
    )
    file.write(samples)
    file.write(struct.pack(order + "H", len(tags)))
    for tag, value in tags.items():
        file.write(struct.pack(order + "HHII", tag, 4, 1, value))
    file.write(bytes(4))
    return file.getvalue()
