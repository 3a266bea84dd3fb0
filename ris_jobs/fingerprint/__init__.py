"""What an image is: decoded once, hashed, measured, described.

Entry point: :class:`ris_jobs.fingerprint.pipeline.Pipeline`, a Towhee pipeline of local
operators (decode → transform → embed). Everything here is a value computed from bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Decoded",
    "Fingerprint",
    "Hashes",
    "Lacking",
    "Manifest",
    "Quality",
    "Trace",
    "Traces",
]

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A C2PA manifest of a file. ``state``: ``trusted`` (its signature fits the file, and the
    signer is known), ``valid`` (it fits, and anybody may have signed), ``broken`` (it does not
    fit, as where it was copied from another file, or cannot be read).

    ``label`` is its name, ``signer`` who signed; ``parents`` are the labels of the manifests of
    what the file says it was made from, empty for what had none; ``created``: it says that it was
    made from nothing.
    """

    state: str
    label: str = ""
    signer: str = ""
    parents: Sequence[str] = ()
    created: bool = False


@dataclass(frozen=True, slots=True)
class Traces:
    """What the encoding tells about the file's history.

    ``jpeg_quality`` is the libjpeg quality (1–100) whose tables are nearest to the file's
    luminance table, None for other formats; ``subsampling`` like ``"4:2:0"``; ``lossless``
    is True for formats that keep every pixel; ``metadata`` holds the EXIF fields that bear
    on provenance (Make, Model, Software, DateTimeOriginal …) as the file claims them, and
    ``ColourProfile``, the name of its ICC profile.

    ``standard``: its luminance table is that of libjpeg. ``coarseness`` is log2 of the error (root
    mean square, grey values) that such an encoding leaves on a typical photo, None where unknown.
    ``earlier_quality`` is that of a JPEG it seems to have been before
    (:mod:`ris_jobs.fingerprint.ghosts`); ``requantised`` the evidence for each earlier quality
    (:mod:`ris_jobs.fingerprint.requantised`), empty where it was not looked for; ``pixels`` a
    CRC-32 of them, unturned, None where it was not taken; ``detail`` how much its
    luma and its colours have (:func:`ris_jobs.fingerprint.detail.detail`), empty likewise;
    ``manifest`` the C2PA manifest, None where it has none.
    """

    jpeg_quality: int | None
    subsampling: str | None
    lossless: bool
    metadata: Mapping[str, str]
    standard: bool = False
    coarseness: float | None = None
    earlier_quality: int | None = None
    requantised: Sequence[float] = ()
    pixels: int | None = None
    detail: Sequence[float] = ()
    manifest: Manifest | None = None


class Trace(StrEnum):
    """What a picture can do without."""

    ENCODING = "encoding"
    METADATA = "metadata"
    PROFILE = "profile"
    GHOSTS = "ghosts"
    REQUANTISED = "requantised"
    PIXELS = "pixels"
    DETAIL = "detail"
    MANIFEST = "manifest"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Lacking:
    """A trace that could not be taken, and why."""

    trace: Trace
    why: str

    def __str__(self) -> str:
        return f"{self.trace}: {self.why}"


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded picture: upright (EXIF orientation applied), sRGB, first frame.

    ``rgb`` is uint8, shape (height, width, 3), alpha composed on neutral grey (128); ``sample`` are
    patches as the file holds them (:mod:`ris_jobs.fingerprint.sample`). ``lacking`` are the traces
    that could not be taken.
    """

    rgb: Rgb
    format: str
    frames: int
    exif_orientation: int
    traces: Traces
    sample: bytes = b""
    lacking: tuple[Lacking, ...] = ()

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])


@dataclass(frozen=True, slots=True)
class Hashes:
    """Perceptual hashes. ``phash`` and ``dhash`` are 64-bit, one for each EXIF orientation
    1–8 in that order (index 0 is the picture as it stands); ``pdq`` is 32 bytes, upright,
    ``pdq_quality`` 0–100 (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
    Image-Hashing Algorithm", 2019; below 50 the hash says little)."""

    phash: tuple[int, ...]
    dhash: tuple[int, ...]
    pdq: bytes
    pdq_quality: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How much picture there is.

    ``complexity`` 0–1: 0 is a flat field, about 0.5 a typical photo. ``colourfulness`` is
    Hasler and Süsstrunk's M (2003), 0 for greyscale, roughly 15–110 for photos.
    ``spectrum`` is log10 of the mean power in 32 equal bands of spatial frequency from 0 to
    the Nyquist limit, averaged over rows and columns: an enlargement leaves its upper bands empty.
    """

    complexity: float
    colourfulness: float
    spectrum: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """All that is kept of an image's pixels, but for its descriptor (model-bound) and preview;
    ``sample`` as in :class:`Decoded`, empty where none was taken."""

    width: int
    height: int
    format: str
    frames: int
    exif_orientation: int
    hashes: Hashes
    quality: Quality
    traces: Traces
    sample: bytes = b""


def as_json(traces: Traces) -> dict[str, Any]:
    """Traces as JSON values, the form in which they are stored."""
    return {
        "jpeg_quality": traces.jpeg_quality,
        "subsampling": traces.subsampling,
        "lossless": traces.lossless,
        "metadata": dict(traces.metadata),
        "standard": traces.standard,
        "coarseness": traces.coarseness,
        "earlier_quality": traces.earlier_quality,
        "requantised": list(traces.requantised),
        "pixels": traces.pixels,
        "detail": list(traces.detail),
        "manifest": traces.manifest and asdict(traces.manifest),
    }


def from_json(values: Mapping[str, Any]) -> Traces:
    """What :func:`as_json` was given; fields that ``values`` lack were not looked for."""
    lists = {name: tuple(values.get(name, ())) for name in ("requantised", "detail")}
    found = values.get("manifest")
    manifest = found and Manifest(**{**found, "parents": tuple(found["parents"])})
    return Traces(**{**values, **lists, "manifest": manifest})
