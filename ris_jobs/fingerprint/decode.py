"""Bytes to pixels, once: whatever arrives ends as a picture or as one reason why not."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from ris_jobs.errors import ImageRejected, Reason
from ris_jobs.fingerprint import Decoded, Trace, Traces
from ris_jobs.fingerprint.attempts import Attempts
from ris_jobs.fingerprint.colour import to_rgb
from ris_jobs.fingerprint.container import count_frames, ended, ends_early
from ris_jobs.fingerprint.manifest import read_manifest
from ris_jobs.fingerprint.sample import pack
from ris_jobs.fingerprint.traces import luminance_steps, read_traces
from ris_jobs.formats import IMPRESSION, recognise

__all__ = ["MAX_SIDE", "MIN_SIDE", "decode"]

MIN_SIDE = 8
"""Pictures with a shorter side are too small: their 8 × 8 hashes would be made of nothing."""

MAX_SIDE = 65_535
"""Pictures with a longer side (JPEG allows none) are refused as too large."""

# EXIF 2.32, tag 0x0112: what must be done to the stored pixels to show them upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns of large pictures and broken metadata; both are our reasons or our business.
# A filter set once, because warnings.catch_warnings is not safe between threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


def decode(data: bytes, *, max_pixels: int, truncated: str, anchors: str | None = None) -> Decoded:
    """The first frame of an image file, upright, in sRGB, on grey where it is transparent.

    The content says the format, one of :data:`ris_jobs.formats.SUPPORTED`. The pixel count
    is read from the header and held against ``max_pixels`` (Pillow's own limit of
    178,956,970 stands above it) before a pixel is decoded. ``truncated`` is ``"reject"``, or
    ``"accept"`` for what can be read of a file cut off (not WebP, AVIF or compressed TIFF:
    their decoders give all or nothing). ``anchors`` as in
    :func:`ris_jobs.fingerprint.manifest.read_manifest`. Safe to call from many threads: no global
    state of Pillow is touched. Raises nothing but :class:`ImageRejected`; traces that cannot be
    taken are named in what it returns.
    """
    name = recognise(data[:IMPRESSION])
    try:
        image = _open(data, name, max_pixels)
        declared = _orientation(image) if name == "TIFF" else None  # Pillow turns it itself
        image = _load(image, data, name, truncated)
        orientation = _orientation(image)
        rgb = to_rgb(_upright(image, orientation))
        frames = count_frames(image, data, name)
        tried = Attempts()
        traces = _traces(image, data, name, anchors, tried)
        sample = tried(Trace.SAMPLE, lambda: pack(image, luminance_steps(image)), b"")
    except ImageRejected:
        raise
    except MemoryError as error:
        raise ImageRejected(Reason.TOO_LARGE, "there is not enough memory to decode it") from error
    except Exception as error:  # decoders raise almost anything on hostile bytes
        raise _rejection(error, data, name) from error
    return Decoded(rgb, name, frames, declared or orientation, traces, sample, tuple(tried.lacking))


def _traces(
    image: Image.Image, data: bytes, name: str, anchors: str | None, tried: Attempts
) -> Traces:
    manifest = tried(Trace.MANIFEST, lambda: read_manifest(data, name, anchors), None)
    return replace(read_traces(image, data, tried), manifest=manifest)


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    """The image with its header read and its size found acceptable; no pixel is decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=[name])
    except Image.DecompressionBombError as error:
        raise ImageRejected(Reason.TOO_LARGE, f"it declares too many pixels: {error}") from error
    width, height = image.size
    if width * height > max_pixels:
        detail = f"{width} × {height} pixels are more than the limit of {max_pixels:,}"
        raise ImageRejected(Reason.TOO_LARGE, detail)
    if max(width, height) > MAX_SIDE:
        detail = f"{width} × {height} pixels: the longer side may have at most {MAX_SIDE:,}"
        raise ImageRejected(Reason.TOO_LARGE, detail)
    if min(width, height) < MIN_SIDE:
        detail = f"{width} × {height} pixels: the shorter side must have at least {MIN_SIDE}"
        raise ImageRejected(Reason.TOO_SMALL, detail)
    return image


def _load(image: Image.Image, data: bytes, name: str, truncated: str) -> Image.Image:
    try:
        image.load()
    except Exception as error:
        if truncated == "reject" or not _is_cut_off(error, data, name):
            raise
        return _load_what_is_there(image, data, name)
    return image


def _load_what_is_there(image: Image.Image, data: bytes, name: str) -> Image.Image:
    if name == "JPEG":
        image = Image.open(io.BytesIO(ended(data)), formats=[name])
    else:
        # The rows decoded so far are in the image; without tiles it takes itself for loaded.
        image.tile = []  # type: ignore[attr-defined]  # ImageFile has it
    image.load()
    if np.ptp(np.asarray(image)) == 0:
        raise ImageRejected(Reason.TRUNCATED, "the file ends before the first row of pixels")
    return image


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation still to be applied, 1–8; what cannot be read or means nothing is 1."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # hostile bytes make Pillow's EXIF parser raise almost anything
        return 1
    return value if value in _UPRIGHT else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def _is_cut_off(error: Exception, data: bytes, name: str) -> bool:
    return "truncated" in str(error).lower() or ends_early(data, name)


def _rejection(error: Exception, data: bytes, name: str) -> ImageRejected:
    if _is_cut_off(error, data, name):
        return ImageRejected(Reason.TRUNCATED, f"the {name} file ends before its picture does")
    said = " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        said = "its header cannot be read"
    return ImageRejected(Reason.CORRUPT, f"the {name} file is damaged: {said}")
