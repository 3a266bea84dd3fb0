"""Named edits at several strengths, by family, each a small function with explicit parameters.

:data:`VARIANTS` lists them all; :func:`apply` makes a copy of a photo by one of them. An edit
takes a :class:`Picture` and :class:`Props` (a seeded generator and other photos) and gives a new
:class:`Picture`, which knows where in it the source is seen, so that edits can be chained.
"""

from benchmarks.accuracy.edits.picture import WHOLE, Box, Picture, Props
from benchmarks.accuracy.edits.registry import FAMILIES, UNTRAINED, VARIANTS
from benchmarks.accuracy.edits.variant import Edited, Variant, apply

__all__ = [
    "FAMILIES", "UNTRAINED", "VARIANTS", "WHOLE", "Box", "Edited", "Picture", "Props", "Variant",
    "apply",
]  # fmt: skip
