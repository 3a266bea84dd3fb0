"""Any Pillow mode to sRGB pixels: one meaning for every way of storing a picture."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

__all__ = ["GREY", "to_rgb"]

GREY = 128
"""The neutral grey that transparency is laid on: neither a black nor a white cut-out wins."""

_MAX_PROFILE = 4 << 20
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def to_rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
    """The pixels of a loaded image in sRGB, alpha on grey: uint8 (height, width, 3), read-only.

    An embedded ICC profile is applied (relative colorimetric with black-point compensation);
    one that is broken or does not fit the pixels is ignored. Samples of more than 8 bits are
    scaled by :func:`_to_8_bit`; without a profile CMYK is Pillow's plain complement.
    """
    profile = image.info.get("icc_profile")
    image = _plain(image)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = image if alpha is None else image.convert(image.mode[:-1])
    rgb = _with_profile(base, profile) or _without_profile(base)
    if alpha is not None:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, (GREY,) * 3), alpha)
    return np.asarray(rgb)


def _plain(image: Image.Image) -> Image.Image:
    """One of L, LA, RGB, RGBA, CMYK, YCbCr, LAB, HSV: palettes, keys and wide samples solved."""
    if image.mode == "I" or image.mode == "F" or image.mode.startswith("I;16"):
        return _to_8_bit(image)
    if image.mode in ("P", "PA"):
        has_alpha = image.mode == "PA" or "transparency" in image.info
        return image.convert("RGBA" if has_alpha else "RGB")
    if "transparency" in image.info and image.mode in ("1", "L", "RGB"):
        return image.convert("RGBA")
    simpler = {"1": "L", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}.get(image.mode)
    return image.convert(simpler) if simpler else image


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Grey samples of 16 or 32 bits or floats, to L.

    16-bit samples span 0–65535. Wider integers and floats have no agreed white: a range of
    0–1 (floats only), 0–255 or 0–65535 that holds all samples is taken as meant, anything
    else is stretched from its least to its greatest sample. NaN and infinities become black.
    """
    samples = np.asarray(image).astype(np.float64)
    samples[~np.isfinite(samples)] = 0
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    else:
        ranges = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        least, greatest = float(samples.min()), float(samples.max())
        fitting = [top for top in ranges if least >= 0 and greatest <= top]
        low, high = (0.0, fitting[0]) if fitting else (least, greatest)
    scaled = (samples - low) * (255 / max(high - low, 1e-300))
    return Image.fromarray(np.rint(np.clip(scaled, 0, 255)).astype(np.uint8))


def _without_profile(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        return cast(Image.Image, ImageCms.applyTransform(image, _lab_to_srgb()))
    return image if image.mode == "RGB" else image.convert("RGB")


def _with_profile(image: Image.Image, profile: object) -> Image.Image | None:
    """``image`` through its profile, or None when there is nothing to apply or it is unusable."""
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= _MAX_PROFILE:
        return None
    try:
        transform = _transform(profile, image.mode)
        return cast(Image.Image, ImageCms.applyTransform(image, transform)) if transform else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From ``profile`` to sRGB; None if ``profile`` is itself sRGB, so that nothing changes."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    description = ImageCms.getProfileDescription(source).strip()
    if mode == "RGB" and description.startswith("sRGB"):
        return None
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(source, _srgb(), mode, "RGB", _INTENT, flags)


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB", _INTENT)


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
