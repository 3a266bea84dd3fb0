"""What is to be seen of a pair of images: cheap tests first, then pixels, then keypoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ris_jobs.match import Candidate, Side
from ris_jobs.match.alignment import Alignment, align, in_detail
from ris_jobs.match.candidates import HASH_COSINE
from ris_jobs.match.compared import Compared
from ris_jobs.match.geometry import Keypoints, keypoints, register
from ris_jobs.match.pixels import View, view
from ris_jobs.match.probability import features
from ris_jobs.match.registered import aligned
from ris_jobs.match.rerank import HashDistance

__all__ = [
    "HASHES_NEAR",
    "HASHES_SURE",
    "PDQ_NEAR",
    "SEARCHED",
    "Examined",
    "LoadKeypoints",
    "LoadPreview",
    "Previews",
    "Reached",
    "alignment_of",
    "examine",
    "examined",
    "hashes_near",
]

_T = TypeVar("_T")
Rgb = npt.NDArray[np.uint8]
LoadPreview = Callable[[int], npt.NDArray[np.uint8] | None]
"""From an image id to its preview, uint8 (h, w, 3), or None when it is gone."""
LoadKeypoints = Callable[[int], Keypoints | None]
"""From an image id to the keypoints of its preview, or None when that is gone."""

# pHash and dHash together. Within the first the pixels are looked at whatever the cosine; within
# the second hashes stand alone where previews are gone. Of 404,550 pairs of different photos
# 1.2 % lie within the first and none within the second (the nearest at 27).
HASHES_NEAR = 40
HASHES_SURE = 24
# PDQ distance within which the pixels are looked at too: what makes a candidate of its own.
PDQ_NEAR = round(128 * (1 - HASH_COSINE))
# One picture is sought inside another only among an image's nearest, and keypoints are compared
# only there and where hashes are near: that costs milliseconds a pair, and an image has up to
# top_k candidates, most of which merely look alike.
SEARCHED = 24
# How much more than whole pictures as they are keypoints must explain to be believed instead.
_MORE = 0.1
# Kept in memory while a batch is judged: reduced previews, about 0.3 MB each, and keypoints,
# about 0.1 MB.
_IN_MEMORY = 896


@dataclass(slots=True)
class Reached:
    """How far candidates came: pairs whose ``pixels`` were compared, whose ``keypoints`` were, and
    that an alignment ``confirmed``."""

    pixels: int = 0
    keypoints: int = 0
    confirmed: int = 0

    def add(self, other: Reached) -> None:
        self.pixels += other.pixels
        self.keypoints += other.keypoints
        self.confirmed += other.confirmed


@dataclass(frozen=True, slots=True)
class Examined:
    """A pair that an alignment confirms, its sides in the order of their sha256, so that nothing
    depends on which came first. ``parts`` says which regions of them the cosine is of, 0 for the
    whole; ``features`` are what a probability is made of."""

    sides: tuple[Side, Side]
    cosine: float
    parts: tuple[int, int]
    distance: HashDistance
    alignment: Alignment
    features: Mapping[str, float]


def examine(
    candidates: Sequence[Candidate],
    compared: Compared,
    previews: Previews,
    search_cosine: float,
    reached: Reached,
) -> Iterator[Examined | None]:
    """Of each candidate what confirms it; None where nothing does. Each preview is reduced once as
    long as candidates of one image stand together. Adds to ``reached``."""
    for candidate in candidates:
        pair, distance = compared.pair(candidate), compared.distance(candidate)
        alignment = alignment_of(pair, candidate, distance, previews, search_cosine, reached)
        if alignment is None or not alignment.held:
            yield None
            continue
        reached.confirmed += 1
        yield examined(candidate, pair, distance, alignment)


def examined(
    candidate: Candidate, pair: tuple[Side, Side], distance: HashDistance, alignment: Alignment
) -> Examined:
    """What an alignment that holds shows of a pair ordered by sha256."""
    same = pair[0].image_id == candidate.image_id
    parts = candidate.parts if same else candidate.parts[::-1]
    found = features(pair, parts, candidate.cosine, distance, alignment)
    return Examined(pair, candidate.cosine, parts, distance, alignment, found)


def hashes_near(distance: HashDistance) -> bool:
    """Whether hashes alone are reason enough to look at the pixels; those of an inverted picture
    differ in nearly all bits."""
    return distance.combined <= HASHES_NEAR or min(distance.pdq, 256 - distance.pdq) <= PDQ_NEAR


class Previews:
    """Previews as they are stored, and reduced to what is compared. Keypoints are made of them
    unless there is a loader of these, too."""

    def __init__(self, load: LoadPreview, load_keypoints: LoadKeypoints | None = None) -> None:
        self.load = load
        # Functions of the loaders alone, so that they go when this goes.
        self.view = lru_cache(_IN_MEMORY)(partial(_made, view, load))
        self.keypoints = lru_cache(_IN_MEMORY)(load_keypoints or partial(_made, keypoints, load))

    def by_keypoints(self, first: int, second: int) -> Alignment | None:
        one, two = self.keypoints(first), self.keypoints(second)
        registration = None if one is None or two is None else register(one, two)
        if registration is None:
            return None
        previews = self.load(first), self.load(second)
        if previews[0] is None or previews[1] is None:
            return None
        return aligned(previews[0], previews[1], registration)


def _made(make: Callable[[Rgb], _T], load: LoadPreview, image_id: int) -> _T | None:
    preview = load(image_id)
    return None if preview is None else make(preview)


def alignment_of(
    pair: tuple[Side, Side],
    candidate: Candidate,
    distance: HashDistance,
    previews: Previews,
    search_cosine: float,
    reached: Reached,
) -> Alignment | None:
    """The alignment that explains most of a pair, ordered by sha256, whether it holds or not;
    cheap tests first, None where they rule the pair out. Adds to ``reached``."""
    nearest, near = candidate.rank < SEARCHED, hashes_near(distance)
    search = nearest and candidate.cosine >= search_cosine
    if not near and not search:
        return None
    ids = (pair[0].image_id, pair[1].image_id)
    first, second = previews.view(ids[0]), previews.view(ids[1])
    alignment = _align(first, second, distance, search)
    reached.pixels += alignment.pixels is not None
    if (nearest or near) and (alignment.nearly_whole or not alignment.clear):
        reached.keypoints += 1
        better = _clearer(alignment, previews.by_keypoints(*ids))
        alignment = replace(better, searched=alignment.searched)
    return alignment if first is None or second is None else in_detail(alignment, first, second)


def _clearer(one: Alignment, other: Alignment | None) -> Alignment:
    """The one that holds and explains more; what was seen in detail before what was not."""
    if other is None or other.pixels is None:
        return one
    if not one.held or one.pixels is None or one.pixels.blurred:
        return other
    more = 0.0 if one.inside else _MORE
    if not one.clear and other.pixels.agreement > one.pixels.agreement + more:
        return other
    return one.confirmed_by(other)


def _align(
    first: View | None, second: View | None, distance: HashDistance, search: bool
) -> Alignment:
    if first is None or second is None:
        return Alignment(distance.orientation, None, None, distance.combined <= HASHES_SURE)
    return align(first, second, distance.orientation, search=search)
