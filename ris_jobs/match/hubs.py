"""Hubs: images that lie inside many pictures which have nothing else in common, such as logos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

__all__ = ["hubs"]


def hubs(
    inside: Mapping[int, Collection[int]], ties: Iterable[tuple[int, int]], limit: int
) -> set[int]:
    """Those images that lie inside more than ``limit`` pictures, where pictures that are tied to
    one another, directly or through others of them, count as one. ``inside`` maps each image to
    the pictures it lies inside; ``ties`` are pairs of such pictures, in any order."""
    tied: dict[int, set[int]] = defaultdict(set)
    for one, two in ties:
        tied[one].add(two)
        tied[two].add(one)
    return {image for image, pictures in inside.items() if _exceeds(pictures, tied, limit)}


def _exceeds(pictures: Collection[int], tied: Mapping[int, set[int]], limit: int) -> bool:
    """Whether there are more than ``limit`` groups of tied pictures."""
    left, groups = set(pictures), 0
    while left and groups <= limit:
        groups += 1
        ahead = [left.pop()]
        while ahead:
            near = left.intersection(tied.get(ahead.pop(), ()))
            left -= near
            ahead += near
    return groups > limit
