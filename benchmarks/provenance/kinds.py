"""The kinds of families, each a function from a photo to its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageOps

from benchmarks.accuracy.edits import Picture, Props
from benchmarks.provenance import chains
from benchmarks.provenance.chains import Coding, Copy

_KEPT = 0.85
# Steps that lose nothing. A source that was stored with loss has its own among all steps.
_LOSSLESS = frozenset({"mirrored", "PNG", "WEBP lossless=True"})


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a family: ``roots`` are its source, or what it cannot be told from; ``copies``
    were made of them, ``decoys`` by enlarging; ``composites`` belong to no family."""

    roots: Sequence[Copy]
    copies: Sequence[Copy]
    decoys: Sequence[Copy] = ()
    composites: Sequence[Copy] = ()


def copies(photo: Image.Image, props: Props) -> Made:
    """Chains of edits, now and then with a composite."""
    root = _source(photo, props, chains.published(props.rng))
    pasted = [chains.composite(root, props)] if props.rng.random() < 0.4 else []
    return Made([root], _descendants([root], props, 2, 11), composites=pasted)


def decoys(photo: Image.Image, props: Props) -> Made:
    """One enlargement of the source and one of a copy, with more pixels and of high quality."""
    root = _source(photo, props, chains.published(props.rng))
    others = _descendants([root], props, 1, 7)
    enlarged = [chains.enlarged(parent, props) for parent in (root, props.rng.choice(others))]
    return Made([root], others, enlarged)


def forged(photo: Image.Image, props: Props) -> Made:
    """The source is stripped; copies name a camera and an early date."""
    coding = replace(chains.published(props.rng), claims={})
    root = _source(photo, props, coding)
    others = _descendants([root], props, 2, 8)
    forgeries = [_forgery(chains.generation(root, props), props) for _ in range(2)]
    return Made([root], [*others, *forgeries])


def recompressed(photo: Image.Image, props: Props) -> Made:
    """Only new encodings of the same pixels, at lower and at higher quality."""
    rng = props.rng
    root = _source(photo, props, chains.published(rng))
    others: list[Copy] = []
    for _ in range(rng.randint(2, 4)):
        parent = rng.choice([root, *others])
        others.append(_again(parent, chains.copied(rng, parent.coding)))
    return Made([root], others)


def crops(photo: Image.Image, props: Props) -> Made:
    """A thumbnail, and crops that have more pixels than it."""
    root = _source(photo, props, chains.published(props.rng))
    small = chains.thumbnail(root, props, chains.SHORTEST)
    parts = [chains.cropped(root, props, props.rng.uniform(0.4, 0.9)) for _ in range(3)]
    return Made([root], [small, *parts, *_descendants([root], props, 0, 4)])


def twins(photo: Image.Image, props: Props) -> Made:
    """The source is absent; two encodings of it have the same quality (undecidable)."""
    quality, absent = props.rng.randint(75, 92), _source(photo, props, chains.png())
    one = chains.jpeg(quality)
    other = replace(one, options={**one.options, "progressive": True})
    roots = [_again(absent, coding) for coding in (one, other)]
    return Made(roots, _descendants(roots, props, 1, 6))


def lossless(photo: Image.Image, props: Props) -> Made:
    """The same pixels in two lossless files (undecidable)."""
    first = _source(photo, props, chains.png())
    second = _again(first, Coding("WEBP", {"lossless": True}, {}))
    return Made([first, second], _descendants([first, second], props, 1, 6))


def mirrored(photo: Image.Image, props: Props) -> Made:
    """A picture and its mirror image, both lossless (undecidable)."""
    first = _source(photo, props, chains.png())
    mirror = replace(first.picture.turned(2), drawn={})
    second = chains.stored(mirror, chains.png(), (*first.steps, "mirrored"))
    return Made([first, second], _descendants([first, second], props, 1, 4))


def parts(photo: Image.Image, props: Props) -> Made:
    """The source is absent; one file shows all of it at half size, one a part in full detail
    (undecidable)."""
    absent = _source(photo, props, chains.png())
    half = chains.thumbnail(absent, props, min(absent.picture.image.size) // 2)
    part = chains.cropped(absent, props, props.rng.uniform(0.5, 0.8))
    return Made([half, part], _descendants([half, part], props, 1, 4))


def with_equals(made: Made) -> Made:
    """Copies that hold all that a root holds, as those of `lossless` and `mirrored` do, are roots
    too, whatever the kind: nothing tells which of them was made first. Copies of the same bytes are
    one image, and left out."""
    made = _distinct(made)
    equal = [copy for copy in made.copies if _LOSSLESS.issuperset(copy.steps)]
    others = [copy for copy in made.copies if not _LOSSLESS.issuperset(copy.steps)]
    return replace(made, roots=[*made.roots, *equal], copies=others)


def _distinct(made: Made) -> Made:
    roots = {root.data for root in made.roots}
    copies = {copy.data: copy for copy in made.copies if copy.data not in roots}
    return replace(made, copies=list(copies.values()))


Kind = Callable[[Image.Image, Props], Made]
DECIDABLE: Mapping[str, Kind] = {
    kind.__name__: kind for kind in (copies, decoys, forged, recompressed, crops)
}
UNDECIDABLE: Mapping[str, Kind] = {
    kind.__name__: kind for kind in (twins, lossless, mirrored, parts)
}
KINDS: Mapping[str, Kind] = {**DECIDABLE, **UNDECIDABLE}


def _source(photo: Image.Image, props: Props, coding: Coding) -> Copy:
    """The photo a little reduced, so that what it was stored in before leaves no trace."""
    size = (round(photo.width * _KEPT), round(photo.height * _KEPT))
    image = ImageOps.fit(photo, size, Image.Resampling.LANCZOS)
    return chains.stored(Picture(image, image.size), coding, ())


def _descendants(roots: Sequence[Copy], props: Props, least: int, most: int) -> list[Copy]:
    """Copies of these, and copies of copies; three in five are made of a root."""
    rng, made = props.rng, list[Copy]()
    for _ in range(rng.randint(least, most)):
        from_root = not made or rng.random() < 0.6
        made.append(chains.generation(rng.choice(roots if from_root else made), props))
    return made


def _again(parent: Copy, coding: Coding) -> Copy:
    return chains.stored(replace(parent.picture, drawn={}), coding, parent.steps)


def _forgery(copy: Copy, props: Props) -> Copy:
    coding = chains.jpeg(props.rng.randint(60, 95), claims=chains.camera(props.rng, 2003))
    return _again(copy, coding)
