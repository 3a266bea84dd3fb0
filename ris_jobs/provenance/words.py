"""Clues as sentences for people. In brackets stands the weight: the largest log-odds it adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["against", "decided", "favour", "is_decided"]

_DECIDED = " decided so: "

# Of the copies (one, several), and of an image that seems to be a copy itself.
_SAID = {
    "containment": ("shows", "show", "a part of it", "it shows a part of another"),
    "border": ("has", "have", "a border or a caption band around it", "it has a border around it"),
    "resolution": ("is", "are", "smaller", "another shows the same in more detail"),
    "enlargement": ("is", "are", "enlarged, without more detail", "it is enlarged"),
    "grey": ("lost", "lost", "the colours that it has", "it lost the colours of another"),
    "faded": ("lost", "lost", "detail that it has", "it lost detail that another has"),
    "inner": ("lies", "lie", "inside it", "it lies inside another"),
    "coarser": ("is", "are", "encoded more coarsely", "it is encoded more coarsely than another"),
    "coarser-edited": (
        "differs and is", "differ and are", "encoded more coarsely",
        "it is encoded more coarsely than another that differs",
    ),
    "coarser-recoloured": (
        "has other colours and is", "have other colours and are", "encoded more coarsely",
        "it is encoded more coarsely than another that has other colours",
    ),
    "coarser-part": (
        "is", "are", "encoded more coarsely, one inside the other",
        "it is encoded more coarsely than what lies inside it or around it",
    ),
    "rounded": (
        "is", "are", "rounded as a JPEG made of it is", "it is rounded as a JPEG made of another is"
    ),
    "unfit": (
        "cannot", "cannot", "have been what it was encoded from", "it was not encoded from another",
    ),
    "spread": (
        "lies", "lie", "about its values as rounding leaves them",
        "it lies about another's values as rounding leaves them",
    ),
    "lossless": (
        "differs and lost", "differ and lost", "something by its encoding, as it did not",
        "another that differs is stored without loss",
    ),
    "chroma": (
        "has", "have", "colours with less detail", "its colours have less detail than another's"
    ),
    "chroma-edited": (
        "differs and has", "differ and have", "colours with less detail",
        "its colours have less detail than those of another that differs",
    ),
    "smoothed": (
        "was", "were", "encoded just as it was, and once more, by their colours",
        "it was encoded just as another was, and once more, by its colours",
    ),
    "overlay": (
        "differs", "differ", "by fine detail that was added",
        "it has fine detail that another lacks, as an overlay adds",
    ),
    "framed": (
        "seems", "seem", "to have a border around it", "it seems to have a border around it"
    ),
    "requantised": (
        "was", "were", "encoded in its JPEG quality before",
        "it seems to have been encoded in another's JPEG quality before",
    ),
    "ghost": (
        "holds", "hold", "traces of its JPEG quality", "it holds traces of another's JPEG quality"
    ),
    "pixels": (
        "keeps", "keep", "without loss what its encoding left",
        "it keeps without loss what another's encoding left",
    ),
    "generation": (
        "comes", "come", "from a coarser JPEG, and it does not", "it comes from a coarser JPEG"
    ),
    "changed": (
        "differs", "differ", "from it in what others show as it does",
        "others do not show what it shows",
    ),
    "camera": (
        "names", "name", "no camera, and it does, which anybody can write",
        "another names a camera, which anybody can write",
    ),
    "manifest": (
        "was", "were", "made from it or later, as signed manifests say",
        "a signed manifest says that it was made from another, or another from nothing",
    ),
}  # fmt: skip


def favour(kind: str, weights: Sequence[float]) -> Iterator[str]:
    """What speaks for a source: ``weights`` of each copy that shows it."""
    if weights:
        one, several, rest, _ = _SAID[kind]
        count = "1 copy " + one if len(weights) == 1 else f"{len(weights)} copies {several}"
        yield f"for: {count} {rest} ({max(weights):.1f})"


def against(kind: str, weights: Sequence[float]) -> Iterator[str]:
    if weights:
        yield f"against: {_SAID[kind][3]} ({max(weights):.1f})"


def decided(who: str, why: str) -> str:
    """What speaks for a source that a reviewer named."""
    return f"for: {who}{_DECIDED}{why}"


def is_decided(reasons: Sequence[str]) -> bool:
    """Whether a reviewer named the source that these speak for."""
    return len(reasons) == 1 and reasons[0].startswith("for: ") and _DECIDED in reasons[0]
