"""How much picture there is: texture, colour, and how far its detail reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint import Quality, Rgb
from ris_jobs.fingerprint.luma import luma, reduced

__all__ = ["BANDS", "enlargement_drop", "power", "quality"]

BANDS = 32
_LINES = 128
_SHORTEST = 4 * BANDS
_FLOOR = math.log10(1 / 12)
_SIDE = 128
_TYPICAL = 10.0
_STEPS = 16

Plane = npt.NDArray[np.float32]


def quality(rgb: Rgb) -> Quality:
    """Measures of uint8 (height, width, 3); see :class:`ris_jobs.fingerprint.Quality`."""
    grey = luma(rgb)
    return Quality(complexity(grey), colourfulness(rgb), spectrum(grey))


def complexity(grey: npt.NDArray[np.uint8]) -> float:
    """g / (g + 10), where g is the mean gradient of the picture at small size.

    g is SI-mean of Yu and Winkler ("Image complexity and spatial information", QoMEX 2013),
    the mean length of the Sobel gradient in grey values a pixel, here after averaging to a
    shorter side of 128 to 256 pixels, so that size, noise and coding count little. The
    10 puts typical photos at a half.
    """
    plane = reduced(grey, _SIDE).astype(np.float32)
    smooth_x = plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]
    smooth_y = plane[:-2] + 2 * plane[1:-1] + plane[2:]
    across = smooth_y[:, 2:] - smooth_y[:, :-2]
    down = smooth_x[2:] - smooth_x[:-2]
    gradient = float(np.hypot(across, down).mean()) / 8
    return gradient / (gradient + _TYPICAL)


def colourfulness(rgb: Rgb) -> float:
    """M of Hasler and Süsstrunk ("Measuring colourfulness in natural images", SPIE 2003).

    Taken from box averages where the shorter side has more than twice 128 pixels.
    """
    red, green, blue = np.moveaxis(reduced(rgb, _SIDE).astype(np.float32), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = math.hypot(float(red_green.std()), float(yellow_blue.std()))
    return spread + 0.3 * math.hypot(float(red_green.mean()), float(yellow_blue.mean()))


def spectrum(grey: npt.NDArray[np.uint8]) -> tuple[float, ...]:
    """log10 of the mean power in 32 equal bands from 0 to the Nyquist limit.

    At most 128 rows and 128 columns, evenly spaced and at full length, lose their mean, are
    Hann-windowed and Fourier-transformed; power is per sample, so that white noise of variance
    v has v in every band. Rows and columns count alike. Values stop at log10(1/12), the noise
    of rounding to 8 bits: below it there is nothing to see.
    """
    mean = (power(_every(grey)) + power(_every(grey.T))) / 2
    return tuple(float(x) for x in np.log10(np.maximum(mean, 10**_FLOOR)))


def _every(grey: npt.NDArray[np.uint8]) -> Plane:
    step = max(1, len(grey) // _LINES)
    return grey[step // 2 :: step][:_LINES].astype(np.float32)


def power(lines: Plane) -> npt.NDArray[np.float64]:
    """Mean power in each band over lines of shape (n, length): shape (32,)."""
    length = lines.shape[1]
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    lines = (lines - lines.mean(axis=1, keepdims=True)) * window
    # A power of two, long enough that no band is empty.
    size = 1 << (max(length, _SHORTEST) - 1).bit_length()
    transform = np.fft.rfft(lines, size)[:, 1:]
    found = np.square(np.abs(transform)).mean(axis=0) / np.square(window).sum()
    bands: npt.NDArray[np.float64] = found.reshape(BANDS, -1).mean(axis=1, dtype=np.float64)
    return bands


def enlargement_drop(spectrum: Sequence[float], share: float) -> float:
    """How much more power falls away where a smaller copy ends than in a natural picture.

    ``share`` (0–1) is the size of the smaller picture over that of this larger one, so that
    an enlargement of the smaller has nothing of its own above that share of its Nyquist
    limit. Compares the bands from 0.4 to 0.7 of the limit with those from 1.1 to 1.8, less
    the 1 / f^1.4 of power by which they differ in photos; log10, about 0 for a native photo.
    Blind to nearest-neighbour enlargement, and weak below a factor of 2:
    :func:`ris_jobs.fingerprint.enlargement.enlargement` has both spectra and tells more.
    """
    band = (np.arange(BANDS) + 0.5) / BANDS / share
    if band[-1] <= 1.1:
        return 0.0
    # Between bands by interpolation: of a much larger picture's bands few lie below the limit.
    below, above = np.linspace(0.4, 0.7, _STEPS), np.linspace(1.1, min(1.8, band[-1]), _STEPS)
    natural = np.asarray(spectrum) + 1.4 * np.log10(band)
    return float((np.interp(below, band, natural) - np.interp(above, band, natural)).mean())
