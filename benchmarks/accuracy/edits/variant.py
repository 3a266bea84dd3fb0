"""An edit at one strength, and making a copy by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from benchmarks.accuracy.edits import encoding
from benchmarks.accuracy.edits.picture import Picture, Props

Edit = Callable[..., Picture]
"""Takes a picture, props and its own parameters by name."""


@dataclass(frozen=True, slots=True)
class Step:
    """One edit with its parameters."""

    edit: Edit
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """An edit at one strength, or a chain of edits, under the name that results go by.

    ``strength`` counts what :data:`benchmarks.accuracy.edits.FAMILIES` says; ``trained`` tells
    whether the training's views have each of its edits, at whatever strength.
    """

    name: str
    family: str
    strength: float
    steps: tuple[Step, ...]
    trained: bool


@dataclass(frozen=True, slots=True)
class Edited:
    """A copy's bytes, the name ending of its format, what was set and drawn, and its geometry."""

    data: bytes
    suffix: str
    parameters: Mapping[str, Any]
    picture: Picture


def apply(variant: Variant, photo: Image.Image, props: Props) -> Edited:
    """A copy of the RGB ``photo``; the same generator state gives the same bytes. Copies whose
    last edit is no encoding are stored as :func:`encoding.web` draws."""
    picture, steps = Picture(photo, photo.size), []
    for step in variant.steps:
        picture = step.edit(replace(picture, drawn={}), props, **step.parameters)
        steps.append({"edit": step.edit.__name__, **step.parameters, **picture.drawn})
    if picture.file is not None:
        return Edited(*picture.file, {"steps": steps}, picture)
    data, suffix, drawn = encoding.web(picture.image, props.rng)
    return Edited(data, suffix, {"steps": [*steps, {"edit": f"web{suffix}", **drawn}]}, picture)
