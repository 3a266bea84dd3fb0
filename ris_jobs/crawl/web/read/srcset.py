"""The ``srcset`` attribute: the same picture in several sizes (HTML, section 4.8.4.2.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

__all__ = ["candidates"]

_URL = re.compile(r"[\s,]*(\S+)")
_MOST = 100


def candidates(srcset: str) -> Iterator[tuple[str, float]]:
    """The URLs as written, each with its width in pixels, or else its density (1 unless given)."""
    position = 0
    for _ in range(_MOST):
        if not (found := _URL.match(srcset, position)):
            return
        url, position = found.group(1), found.end()
        end = position
        if not url.endswith(","):
            end = srcset.find(",", position)
            end = len(srcset) if end < 0 else end
        if url := url.rstrip(","):
            yield url, _weight(srcset[position:end])
        position = end


def _weight(descriptors: str) -> float:
    for word in descriptors.split():
        try:
            weight = float(word[:-1]) if word[-1] in "wx" else 0.0
        except ValueError:
            continue
        if math.isfinite(weight) and weight > 0:
            return weight
    return 1.0
