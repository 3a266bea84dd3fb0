"""Copies as people make them: each edit is one named function with explicit parameters.

Edits take a picture and return a new one; encoders return the bytes of a file. Nothing is
random, so the same call gives the same pixels. The demo folder, the tests, the calibration
and the benchmarks all make their copies here.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

__all__ = [
    "blur", "brightness", "caption", "caption_band", "colour_shift", "contrast", "crop",
    "greyscale", "jpeg", "letterbox", "mirror", "noise", "pad", "png", "rotate", "sharpen",
    "thumbnail", "upscale", "watermark", "webp",
]  # fmt: skip

Colour = tuple[int, int, int]
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)


# Encoders


def jpeg(image: Image.Image, quality: int = 75, subsampling: str = "4:2:0") -> bytes:
    """A JPEG file; ``quality`` is libjpeg's, 1–100."""
    return _encode(image, "JPEG", quality=quality, subsampling=subsampling)


def webp(image: Image.Image, quality: int = 75) -> bytes:
    """A lossy WebP file; ``quality`` 0–100."""
    return _encode(image, "WEBP", quality=quality)


def png(image: Image.Image) -> bytes:
    """A PNG file, which keeps every pixel."""
    return _encode(image, "PNG")


def _encode(image: Image.Image, fmt: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.convert("RGB").save(buffer, fmt, **options)
    return buffer.getvalue()


# Whole picture, another size or position


def thumbnail(image: Image.Image, side: int) -> Image.Image:
    """The whole picture with its long side at ``side`` pixels, by Lanczos; never enlarged."""
    return _scaled(image, min(1.0, side / max(image.size)), Image.Resampling.LANCZOS)


def upscale(
    image: Image.Image,
    factor: float,
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """The whole picture enlarged ``factor`` times."""
    return _scaled(image, factor, resample)


def mirror(image: Image.Image) -> Image.Image:
    """Left and right exchanged (EXIF orientation 2)."""
    return ImageOps.mirror(image)


def rotate(image: Image.Image, degrees: int) -> Image.Image:
    """Turned clockwise by 90, 180 or 270 degrees (EXIF orientations 6, 3, 8)."""
    turns = {
        90: Image.Transpose.ROTATE_270,
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_90,
    }
    return image.transpose(turns[degrees])


def crop(image: Image.Image, fraction: float, x: float = 0.5, y: float = 0.5) -> Image.Image:
    """A window of ``fraction`` of the area, of the same shape; ``x`` and ``y`` place it:
    0 is left/top, 1 right/bottom."""
    width, height = (max(1, round(side * fraction**0.5)) for side in image.size)
    left, top = round((image.width - width) * x), round((image.height - height) * y)
    return image.crop((left, top, left + width, top + height))


def _scaled(image: Image.Image, factor: float, resample: Image.Resampling) -> Image.Image:
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), resample)


# Same framing, other tones


def greyscale(image: Image.Image) -> Image.Image:
    """Luma only."""
    return image.convert("L").convert("RGB")


def colour_shift(
    image: Image.Image, red: float = 1.15, green: float = 1.0, blue: float = 0.85
) -> Image.Image:
    """Each channel times its gain."""
    gains = np.array([red, green, blue], dtype=np.float32)
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32) * gains
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def brightness(image: Image.Image, factor: float = 1.25) -> Image.Image:
    """Every value times ``factor``."""
    return ImageEnhance.Brightness(image.convert("RGB")).enhance(factor)


def contrast(image: Image.Image, factor: float = 1.3) -> Image.Image:
    """Distance from the mean grey times ``factor``."""
    return ImageEnhance.Contrast(image.convert("RGB")).enhance(factor)


def blur(image: Image.Image, radius: float = 2.0) -> Image.Image:
    """Gaussian blur; ``radius`` is the standard deviation in pixels."""
    return image.convert("RGB").filter(ImageFilter.GaussianBlur(radius))


def sharpen(image: Image.Image, percent: int = 150) -> Image.Image:
    """Unsharp mask of radius 2."""
    return image.convert("RGB").filter(ImageFilter.UnsharpMask(2, percent, 3))


def noise(image: Image.Image, sigma: float = 8.0, seed: int = 0) -> Image.Image:
    """Gaussian noise of ``sigma`` grey values; the same seed gives the same noise."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    grain = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return Image.fromarray(np.clip(pixels + grain + 0.5, 0, 255).astype(np.uint8))


# Text within the picture


def caption(image: Image.Image, text: str = "seen last summer", share: float = 0.16) -> Image.Image:
    """White text on a black band over the bottom ``share`` of the picture; same framing."""
    copy = image.convert("RGB")
    band = max(1, round(copy.height * share))
    copy.paste(_lettering((copy.width, band), text, BLACK, WHITE), (0, copy.height - band))
    return copy


def watermark(image: Image.Image, text: str = "(c) sample", opacity: float = 0.5) -> Image.Image:
    """Translucent white text across the middle, 70 % of the width at most."""
    copy = image.convert("RGB")
    size = (max(1, round(copy.width * 0.7)), max(1, round(copy.height * 0.2)))
    letters = _lettering(size, text, BLACK, WHITE).convert("L")
    mask = letters.point(lambda value: round(value * opacity))
    corner = ((copy.width - size[0]) // 2, (copy.height - size[1]) // 2)
    copy.paste(WHITE, (*corner, corner[0] + size[0], corner[1] + size[1]), mask)
    return copy


# The picture inside something larger


def pad(image: Image.Image, share: float = 0.1, colour: Colour = WHITE) -> Image.Image:
    """A border on all sides, ``share`` of the long side wide."""
    return ImageOps.expand(image.convert("RGB"), round(max(image.size) * share), colour)


def letterbox(image: Image.Image, aspect: float = 1.0, colour: Colour = BLACK) -> Image.Image:
    """Bars on two sides until width / height is ``aspect``."""
    width = max(image.width, round(image.height * aspect))
    height = max(image.height, round(image.width / aspect))
    canvas = Image.new("RGB", (width, height), colour)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas


def caption_band(
    image: Image.Image,
    text: str = "when nobody is looking",
    share: float = 0.2,
    above: bool = False,
) -> Image.Image:
    """Black text on a white band added below (or above): ``share`` of the height more."""
    band = max(1, round(image.height * share))
    canvas = Image.new("RGB", (image.width, image.height + band), WHITE)
    canvas.paste(image, (0, band if above else 0))
    letters = _lettering((image.width, band), text, WHITE, BLACK)
    canvas.paste(letters, (0, 0 if above else image.height))
    return canvas


def _lettering(size: tuple[int, int], text: str, ground: Colour, ink: Colour) -> Image.Image:
    """Text as large as fits into 90 % × 80 % of a plain band."""
    band = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(band)
    reference = draw.textbbox((0, 0), text, font=ImageFont.load_default(100))
    width, height = reference[2] - reference[0], reference[3] - reference[1]
    points = max(6.0, 100 * min(0.9 * size[0] / width, 0.8 * size[1] / height))
    centre = (size[0] / 2, size[1] / 2)
    draw.text(centre, text, fill=ink, font=ImageFont.load_default(points), anchor="mm")
    return band
