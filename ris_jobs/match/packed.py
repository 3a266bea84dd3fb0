"""Keypoints as bytes, to be kept: a digest, places, descriptors.

The digest is over the rest, the recipe and the picture, so that keypoints of another recipe, of
another picture, or damaged ones count for none.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import numpy.typing as npt

from ris_jobs.match.geometry import COUNT, STEPS, Keypoints, plane, recipe

__all__ = ["pack", "unpack"]

Rgb = npt.NDArray[np.uint8]

_DIGEST, _PLACE, _DESCRIPTOR = 32, 4, 128


def pack(keys: Keypoints, picture: Rgb) -> bytes:
    """Bytes of the keypoints of a picture, uint8 (h, w, 3): 132 each and 32 more."""
    body = keys.places.astype("<u2").tobytes() + keys.descriptors.tobytes()
    return _digest(body, picture) + body


def unpack(data: bytes, picture: Rgb) -> Keypoints | None:
    """The keypoints of a picture, uint8 (h, w, 3); None where the bytes are not such as
    :func:`pack` gives for it."""
    body = data[_DIGEST:]
    count, rest = divmod(len(body), _PLACE + _DESCRIPTOR)
    if rest or count > COUNT or data[:_DIGEST] != _digest(body, picture):
        return None
    places = np.frombuffer(body, "<u2", 2 * count).astype(np.uint16).reshape(-1, 2)
    size = plane(picture)
    if (places > np.array(size) * STEPS).any():
        return None
    descriptors = np.frombuffer(body, np.uint8, offset=_PLACE * count).reshape(-1, _DESCRIPTOR)
    return Keypoints(places, descriptors, size)


def _digest(body: bytes, picture: Rgb) -> bytes:
    found = sha256(f"{recipe()} {picture.shape}".encode())
    found.update(np.ascontiguousarray(picture).data)
    found.update(body)
    return found.digest()
