"""Every edit of the suite at every strength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.accuracy.edits import (
    detail,
    encoding,
    framing,
    inserts,
    overlays,
    reproductions,
    tones,
)
from benchmarks.accuracy.edits.variant import Edit, Step, Variant

FAMILIES: Mapping[str, str] = {
    "jpeg": "quality",
    "webp": "quality",
    "avif": "quality",
    "encoding": "kind: PNG, JPEG 4:4:4, progressive, twice",
    "downscale": "times smaller",
    "upscale": "times larger",
    "crop": "share of the area kept",
    "border": "width over the long side",
    "letterbox": "width over height",
    "caption": "band's height over the picture's",
    "orientation": "EXIF orientation",
    "tilt": "degrees",
    "straightened": "degrees",
    "perspective": "corners' move over the side",
    "shear": "degrees",
    "stretch": "times wider",
    "palette": "kind: grey, sepia, inverted",
    "colour": "change of each channel",
    "hue": "degrees",
    "saturation": "factor",
    "gamma": "exponent",
    "brightness": "factor",
    "contrast": "factor",
    "posterise": "bits",
    "blur": "standard deviation in pixels",
    "sharpen": "percent",
    "noise": "standard deviation in grey values",
    "pixelate": "cell in pixels",
    "median": "side in pixels",
    "vignette": "light lost in the corners",
    "text": "lines",
    "watermark": "opacity",
    "logo": "share of the area covered",
    "faces": "share of the area covered",
    "stripes": "share of the area covered",
    "blend": "share of the other photo",
    "covered": "share of the area covered",
    "pasted": "share of the area taken",
    "collage": "cells",
    "phone": "share of the screen taken",
    "desktop": "share of the window taken",
    "screen_photo": "amount",
    "halftone": "cell in pixels",
    "chain": "edits",
}
"""What the strength of a family's variants counts, in the order of the tables."""

UNTRAINED: frozenset[Edit] = frozenset(
    {
        framing.perspective, framing.shear, tones.sepia, detail.sharpened, detail.smeared,
        detail.vignette, overlays.watermark, overlays.logo, overlays.faces, overlays.stripes,
        inserts.collage, inserts.filled_collage, inserts.phone_screenshot,
        inserts.desktop_screenshot,
        reproductions.screen_photo, reproductions.halftone,
    }
)  # fmt: skip
"""Edits that the training of the built-in descriptor does not make."""


def _one(family: str, name: str, strength: float, *steps: Step) -> Variant:
    trained = not any(step.edit in UNTRAINED for step in steps)
    return Variant(name, family, strength, steps, trained)


def _series(family: str, edit: Edit, parameter: str, values: Sequence[float]) -> list[Variant]:
    """One variant for each value: ``crop_10`` keeps 10 %, ``jpeg_30`` has quality 30."""
    return [
        _one(family, f"{family}_{_label(value)}", value, Step(edit, {parameter: value}))
        for value in values
    ]


def _label(value: float) -> str:
    return str(value) if isinstance(value, int) else str(round(100 * value))


def _step(edit: Edit, **parameters: object) -> Step:
    return Step(edit, parameters)


def _chain(name: str, *steps: Step) -> Variant:
    return _one("chain", name, len(steps), *steps)


VARIANTS: tuple[Variant, ...] = (
    *_series("jpeg", encoding.jpeg, "quality", (95, 75, 50, 30, 10)),
    *_series("webp", encoding.webp, "quality", (80, 30)),
    *_series("avif", encoding.avif, "quality", (60, 30)),
    _one("encoding", "png", 1, _step(encoding.png)),
    _one("encoding", "jpeg_444", 2, _step(encoding.jpeg, quality=80, subsampling="4:4:4")),
    _one("encoding", "jpeg_progressive", 3, _step(encoding.jpeg_progressive, quality=80)),
    _one("encoding", "jpeg_twice", 4, _step(encoding.jpeg_twice, first=40, second=80)),
    *_series("downscale", encoding.downscale, "factor", (2, 4, 8, 16)),
    *_series("upscale", encoding.upscale, "factor", (2, 4, 8, 16)),
    *_series("crop", framing.crop, "area", (0.95, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)),
    *_series("border", framing.border, "share", (0.05, 0.15, 0.3)),
    *_series("letterbox", framing.letterbox, "aspect", (16 / 9, 1.0, 9 / 16)),
    *_series("caption", framing.caption, "share", (0.1, 0.2, 0.35)),
    _one("orientation", "mirrored", 2, _step(framing.turned, orientation=2)),
    _one("orientation", "rotated_180", 3, _step(framing.turned, orientation=3)),
    _one("orientation", "rotated_90", 6, _step(framing.turned, orientation=6)),
    _one("orientation", "mirrored_rotated", 7, _step(framing.turned, orientation=7)),
    _one("orientation", "rotated_270", 8, _step(framing.turned, orientation=8)),
    *_series("tilt", framing.tilted, "degrees", (2, 5, 10, 20)),
    *_series("straightened", framing.straightened, "degrees", (5, 20)),
    *_series("perspective", framing.perspective, "amount", (0.06, 0.12, 0.22)),
    *_series("shear", framing.shear, "degrees", (5, 10, 20)),
    *_series("stretch", framing.stretched, "aspect", (0.7, 1.4)),
    _one("palette", "grey", 1, _step(tones.grey)),
    _one("palette", "sepia", 2, _step(tones.sepia)),
    _one("palette", "inverted", 3, _step(tones.inverted)),
    *_series("colour", tones.colour_shift, "amount", (0.15, 0.35)),
    *_series("hue", tones.hue, "degrees", (30, 120)),
    *_series("saturation", tones.saturation, "factor", (0.3, 2.0)),
    *_series("gamma", tones.gamma, "exponent", (0.5, 2.0)),
    *_series("brightness", tones.brightness, "factor", (0.6, 1.5)),
    *_series("contrast", tones.contrast, "factor", (0.5, 1.8)),
    *_series("posterise", tones.posterised, "bits", (4, 3, 2)),
    *_series("blur", detail.blurred, "radius", (1, 2, 4, 8)),
    *_series("sharpen", detail.sharpened, "percent", (150, 400)),
    *_series("noise", detail.noisy, "sigma", (8, 25, 50)),
    *_series("pixelate", detail.pixelated, "cell", (4, 8, 16)),
    *_series("median", detail.smeared, "side", (7,)),
    *_series("vignette", detail.vignette, "amount", (0.8,)),
    *_series("text", overlays.text, "lines", (1, 2, 3)),
    *_series("watermark", overlays.watermark, "opacity", (0.15, 0.3, 0.5)),
    *_series("logo", overlays.logo, "area", (0.05, 0.15, 0.3, 0.4)),
    *_series("faces", overlays.faces, "area", (0.1, 0.25)),
    *_series("stripes", overlays.stripes, "area", (0.1, 0.3)),
    *_series("blend", overlays.blended, "share", (0.15, 0.3, 0.45)),
    *_series("covered", overlays.covered, "area", (0.25, 0.4)),
    *_series("pasted", inserts.pasted, "area", (0.6, 0.4, 0.25, 0.15, 0.1)),
    _one("collage", "collage_2x1", 2, _step(inserts.collage, columns=2, rows=1, gutter=0.0)),
    _one("collage", "collage_2x2", 4, _step(inserts.collage, columns=2, rows=2, gutter=0.0)),
    _one("collage", "collage_3x2", 6, _step(inserts.collage, columns=3, rows=2, gutter=0.06)),
    _one("collage", "collage_3x3", 9, _step(inserts.collage, columns=3, rows=3, gutter=0.03)),
    _one(
        "collage",
        "collage_2x2_filled",
        4,
        _step(inserts.filled_collage, columns=2, rows=2, gutter=0.0, shape=2 / 3),
    ),
    _one(
        "collage",
        "collage_3x1_filled",
        3,
        _step(inserts.filled_collage, columns=3, rows=1, gutter=0.03, shape=4 / 3),
    ),
    *_series("phone", inserts.phone_screenshot, "area", (0.15, 0.3)),
    *_series("desktop", inserts.desktop_screenshot, "area", (0.2, 0.4, 0.6)),
    *_series("screen_photo", reproductions.screen_photo, "amount", (0.5, 1.0)),
    *_series("halftone", reproductions.halftone, "cell", (4, 8)),
    _chain(
        "thumbnail_caption",
        _step(encoding.downscale, factor=3),
        _step(framing.caption, share=0.2),
    ),
    _chain(
        "crop_mirrored_jpeg",
        _step(framing.crop, area=0.5),
        _step(framing.turned, orientation=2),
        _step(encoding.jpeg, quality=30),
    ),
    _chain(
        "meme",
        _step(framing.crop, area=0.8),
        _step(framing.meme, share=0.18),
        _step(encoding.downscale, factor=1.5),
        _step(encoding.jpeg, quality=40),
    ),
    _chain(
        "tilt_blur_jpeg",
        _step(framing.tilted, degrees=5),
        _step(detail.blurred, radius=2),
        _step(encoding.jpeg, quality=20),
    ),
    _chain(
        "mirrored_colour_border",
        _step(framing.turned, orientation=2),
        _step(tones.colour_shift, amount=0.25),
        _step(framing.border, share=0.1),
    ),
    _chain(
        "grey_text_thumbnail",
        _step(tones.grey),
        _step(overlays.text, lines=2),
        _step(encoding.downscale, factor=2),
    ),
    _chain(
        "pasted_mirrored", _step(inserts.pasted, area=0.3), _step(framing.turned, orientation=2)
    ),
    _chain(
        "screenshot_crop",
        _step(inserts.phone_screenshot, area=0.3),
        _step(framing.middle, share=0.6),
    ),
    _chain(
        "fried",
        _step(tones.contrast, factor=1.8),
        _step(tones.saturation, factor=2.0),
        _step(detail.sharpened, percent=400),
        _step(encoding.jpeg, quality=10),
    ),
    _chain(
        "crop_watermark_thumbnail",
        _step(framing.crop, area=0.6),
        _step(overlays.watermark, opacity=0.3),
        _step(encoding.downscale, factor=2),
    ),
    _chain(
        "collage_jpeg",
        _step(inserts.collage, columns=2, rows=2, gutter=0.03),
        _step(encoding.downscale, factor=2),
        _step(encoding.jpeg, quality=40),
    ),
    _chain(
        "story",
        _step(framing.letterbox, aspect=9 / 16),
        _step(overlays.faces, area=0.1),
        _step(overlays.text, lines=1),
    ),
)
"""In the order of the tables."""
