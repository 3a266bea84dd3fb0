"""Edited copies for the evaluation: real encoders and Pillow, not the views used in training.

Each edit takes an RGB picture and a generator seeded by photo and edit, and gives an RGB picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Edit = Callable[[Image.Image, Random], Image.Image]


def encoded(image: Image.Image, rng: Random, *, format: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, format, quality=quality)
    return Image.open(file).convert("RGB")


def resized(image: Image.Image, rng: Random, *, side: float) -> Image.Image:
    """Long side `side` px, or `side` times as long when it is no more than 4; JPEG 80."""
    scale = side if side <= 4 else side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return encoded(image.resize(size, Image.Resampling.LANCZOS), rng, format="JPEG", quality=80)


def transposed(image: Image.Image, rng: Random, *, how: Image.Transpose) -> Image.Image:
    return image.transpose(how)


def grey(image: Image.Image, rng: Random) -> Image.Image:
    return ImageOps.grayscale(image).convert("RGB")


def colours_shifted(image: Image.Image, rng: Random) -> Image.Image:
    gains = [rng.uniform(0.75, 1.25) for _ in range(3)]
    shifted = np.asarray(image, np.float32) * gains
    shifted_image = Image.fromarray(shifted.clip(0, 255).astype(np.uint8))
    return ImageEnhance.Color(shifted_image).enhance(rng.uniform(0.4, 1.7))


def contrast(image: Image.Image, rng: Random, *, amount: float) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(amount)


def captioned(image: Image.Image, rng: Random) -> Image.Image:
    """A band below, a fifth of the height, black on white or white on black, with a sentence."""
    paper, ink = rng.choice([("white", "black"), ("black", "white")])
    band = max(12, image.height // 5)
    canvas = Image.new("RGB", (image.width, image.height + band), paper)
    canvas.paste(image, (0, 0))
    draw = ImageDraw.Draw(canvas)
    draw.text((4, image.height + 2), "when it was still summer", ink, font_size=band * 0.6)
    return canvas


def written_over(image: Image.Image, rng: Random) -> Image.Image:
    copy = image.copy()
    at = (rng.uniform(0, 0.3) * image.width, rng.uniform(0, 0.8) * image.height)
    ink = rng.choice(["white", "black", "red", "yellow"])
    ImageDraw.Draw(copy).text(at, "BREAKING NEWS", ink, font_size=image.height / 7)
    return copy


def blurred(image: Image.Image, rng: Random, *, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius * max(image.size) / 256))


def noisy(image: Image.Image, rng: Random, *, sigma: float) -> Image.Image:
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, sigma, (*image.size[::-1], 3))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def padded(image: Image.Image, rng: Random) -> Image.Image:
    border = round(0.15 * max(image.size))
    return ImageOps.expand(image, border, rng.choice(["black", "white", "#3060a0"]))


def rotated(image: Image.Image, rng: Random, *, degrees: float) -> Image.Image:
    return image.rotate(rng.choice([-degrees, degrees]), Image.Resampling.BICUBIC)


def cropped(image: Image.Image, rng: Random, *, area: float) -> Image.Image:
    aspect = rng.uniform(0.8, 1.25)
    width = min(1.0, (area * aspect) ** 0.5) * image.width
    height = min(1.0, (area / aspect) ** 0.5) * image.height
    x, y = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    return image.crop((int(x), int(y), int(x + width), int(y + height)))


def pasted(
    image: Image.Image, rng: Random, *, area: float, under: list[Image.Image]
) -> Image.Image:
    """Into another photo, at `area` of it."""
    canvas = rng.choice(under).resize((384, 384))
    side = round(384 * area**0.5)
    place = rng.randint(0, 384 - side), rng.randint(0, 384 - side)
    canvas.paste(image.resize((side, side), Image.Resampling.LANCZOS), place)
    return canvas


def covered(
    image: Image.Image, rng: Random, *, area: float, over: list[Image.Image]
) -> Image.Image:
    """Another photo on top, covering `area` of it."""
    copy, scale = image.copy(), area**0.5
    size = round(scale * image.width), round(scale * image.height)
    place = rng.randint(0, image.width - size[0]), rng.randint(0, image.height - size[1])
    copy.paste(rng.choice(over).resize(size), place)
    return copy


WHOLE: dict[str, Edit] = {
    "JPEG quality 75": partial(encoded, format="JPEG", quality=75),
    "JPEG quality 30": partial(encoded, format="JPEG", quality=30),
    "JPEG quality 10": partial(encoded, format="JPEG", quality=10),
    "WebP quality 50": partial(encoded, format="WEBP", quality=50),
    "thumbnail 200 px": partial(resized, side=200),
    "thumbnail 128 px": partial(resized, side=128),
    "thumbnail 64 px": partial(resized, side=64),
    "thumbnail 32 px": partial(resized, side=32),
    "upscaled 2 times": partial(resized, side=2.0),
    "mirrored": partial(transposed, how=Image.Transpose.FLIP_LEFT_RIGHT),
    "rotated by 90 degrees": partial(transposed, how=Image.Transpose.ROTATE_90),
    "rotated by 180 degrees": partial(transposed, how=Image.Transpose.ROTATE_180),
    "rotated by 270 degrees": partial(transposed, how=Image.Transpose.ROTATE_270),
    "greyscale": grey,
    "colour shift": colours_shifted,
    "contrast 0.5": partial(contrast, amount=0.5),
    "contrast 1.8": partial(contrast, amount=1.8),
    "caption below": captioned,
    "text on top": written_over,
    "blur 3 px": partial(blurred, radius=3),
    "noise 25": partial(noisy, sigma=25),
    "border 15 %": padded,
    "rotated by 10 degrees": partial(rotated, degrees=10),
}


def partly(others: list[Image.Image]) -> dict[str, Edit]:
    """Edits that keep or show only a part; `others` are the photos they mix in."""
    return {
        "crop keeping 50 %": partial(cropped, area=0.5),
        "crop keeping 25 %": partial(cropped, area=0.25),
        "crop keeping 10 %": partial(cropped, area=0.1),
        "pasted at 60 % of the area": partial(pasted, area=0.6, under=others),
        "pasted at 40 % of the area": partial(pasted, area=0.4, under=others),
        "pasted at 15 % of the area": partial(pasted, area=0.15, under=others),
        "25 % covered by another photo": partial(covered, area=0.25, over=others),
    }
