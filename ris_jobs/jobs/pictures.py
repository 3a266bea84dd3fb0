"""Previews, keypoints and samples of the images of a batch, by image id."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from threading import Lock

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine

from ris_jobs.errors import PreviewsUnavailable
from ris_jobs.fingerprint import preview
from ris_jobs.match import Side
from ris_jobs.match.examine import LoadKeypoints, LoadPreview
from ris_jobs.match.geometry import Keypoints, keypoints
from ris_jobs.match.judge import LoadSamples
from ris_jobs.match.packed import pack, unpack
from ris_jobs.store import samples
from ris_jobs.store.previews import Previews

__all__ = ["loaders", "samples_of", "stored_preview"]

_LOG = logging.getLogger("ris_jobs")

Rgb = npt.NDArray[np.uint8]

# Previews as they are stored, about 0.6 MB each: what is made of them is kept by whoever judges.
_IN_MEMORY = 64


def loaders(
    sides: Mapping[int, Side], previews: Previews, at_hand: Mapping[int, bytes]
) -> tuple[LoadPreview, LoadKeypoints]:
    """Of previews ``at_hand``, else as stored. Keypoints of stored previews are kept."""

    @lru_cache(_IN_MEMORY)
    def load_preview(image_id: int) -> Rgb | None:
        if data := at_hand.get(image_id):
            return _pixels(image_id, data)
        return stored_preview(previews, image_id, sides[image_id].sha256)

    def load_keypoints(image_id: int) -> Keypoints | None:
        picture = load_preview(image_id)
        if picture is None:
            return None
        if image_id in at_hand:
            return keypoints(picture)
        return _kept(previews, sides[image_id].sha256, picture)

    return load_preview, load_keypoints


def stored_preview(previews: Previews, image_id: int, sha256: str) -> Rgb | None:
    """A stored preview, uint8 (h, w, 3); None where it is gone or damaged."""
    data = previews.read(sha256)
    return None if data is None else _pixels(image_id, data)


def samples_of(engine: Engine, as_of: datetime | None = None) -> LoadSamples:
    """Samples as stored, or as they were ``as_of`` a time. Threads may share it, and take turns at
    one connection."""
    lock = Lock()

    def load(ids: Collection[int]) -> Mapping[int, bytes]:
        with lock, engine.connect() as db:
            return samples.of(db, ids, as_of)

    return load


def _pixels(image_id: int, data: bytes) -> Rgb | None:
    """None for a preview that is damaged, as if it were gone: hashes decide then."""
    try:
        return preview.load(data)
    except (OSError, ValueError, SyntaxError) as error:
        known = {"image_id": image_id}
        said = "the preview of image %d is damaged, and counts as gone: %s"
        _LOG.warning(said, image_id, error, extra=known)
        return None


def _kept(previews: Previews, sha256: str, picture: Rgb) -> Keypoints:
    """Read, or made and written."""
    # What cannot be read or kept is made again another time.
    with suppress(PreviewsUnavailable):
        data = previews.read_keypoints(sha256)
        stored = unpack(data, picture) if data else None
        if stored is not None:
            return stored
    found = keypoints(picture)
    with suppress(PreviewsUnavailable):
        previews.write_keypoints(sha256, pack(found, picture))
    return found
