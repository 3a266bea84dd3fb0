"""Is the larger of two pictures an enlargement of the smaller? Their spectra tell.

Enlarging repeats the smaller picture's spectrum and multiplies it by the response of the
interpolation (Gallagher, "Detection of linear and cubic interpolation in JPEG compressed
images", CRV 2005, uses the same traces): beyond the smaller one's Nyquist limit there is
nothing but the weak mirror image of what lies below. A photo that a thumbnail was made from
has detail of its own there instead, falling off by about 1 / f² of power (Field, JOSA A 1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ris_jobs.fingerprint.quality import BANDS

__all__ = ["enlargement"]

Curve = npt.NDArray[np.float64]

_PARTS = 9
# Fitted on the training photos, 1 % of their thumbnails taken for the originals of enlargements.
_FIT, _BIAS = 1.5, 0.24
_FROM, _TO = 0.35, 2.2


def enlargement(larger: Sequence[float], smaller: Sequence[float], scale: float) -> float:
    """Evidence that ``larger`` is ``smaller`` enlarged: above 0 it is, below it has detail.

    Both are spectra of :class:`ris_jobs.fingerprint.Quality`, upright alike or turned by
    quarters; ``scale`` is the linear size of the larger over the smaller, 1.25 or more to
    mean anything. The value is the misfit of a native photo less 1.5 times that of the
    nearest interpolation (nearest neighbour, bilinear, bicubic, Lanczos), in log10 of power.
    """
    edge = BANDS / scale
    fine = (np.arange(BANDS * _PARTS) + 0.5) / _PARTS
    bands = np.arange(BANDS) + 0.5
    looked_at = (bands > _FROM * edge) & (bands < _TO * edge)
    seen = _audible(10 ** np.asarray(larger))

    def misfit(expected: Curve) -> float:
        gap = (_audible(expected) - seen)[looked_at]
        return float(np.sqrt(np.mean(np.square(gap))))

    folded = np.abs((fine * scale + BANDS) % (2 * BANDS) - BANDS)
    repeated = 10 ** np.interp(folded, bands, smaller)
    at, responses = _responses()
    interpolated = min(
        misfit((repeated * np.interp(fine * scale, at, r)).reshape(BANDS, _PARTS).mean(axis=1))
        for r in responses
    )
    decay = np.maximum(bands / edge, 1) ** -2.0
    native = misfit(10 ** np.interp(np.minimum(bands * scale, BANDS - 0.5), bands, smaller) * decay)
    return native - _FIT * interpolated + _BIAS


def _audible(power: Curve) -> Curve:
    """log10 of power over a noise of 1, about what JPEG coding adds or takes."""
    level: Curve = np.log10(power + 1)
    return level


@lru_cache(maxsize=1)
def _responses() -> tuple[Curve, tuple[Curve, ...]]:
    """Bands of the smaller picture, and there the power response of each interpolation.

    Nearest neighbour, bilinear, cubic convolution with a = -1/2 (Keys 1981), Lanczos with three
    lobes; the last two by quadrature.
    """
    band = np.linspace(0, 3 * BANDS, 400)
    box = np.square(np.sinc(band / (2 * BANDS)))
    place, step = np.linspace(-3, 3, 2401, retstep=True)
    far = np.abs(place)
    inner = 1.5 * far**3 - 2.5 * far**2 + 1
    outer = -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2
    cubic = np.where(far < 1, inner, np.where(far < 2, outer, 0))
    lanczos = np.sinc(place) * np.sinc(place / 3)
    wave = np.cos(np.pi / BANDS * band[:, None] * place) * step
    return band, (box, np.square(box), np.square(wave @ cubic), np.square(wave @ lanczos))
