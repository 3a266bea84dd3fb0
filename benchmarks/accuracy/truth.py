"""The truth about one file of a suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.accuracy.edits import Box
from benchmarks.accuracy.negatives import SHOWING


@dataclass(frozen=True, slots=True)
class Row:
    """The truth about one file.

    ``file``: its path in the suite's folder. ``kind``: source, copy, distractor, distractor_copy
    (of a photo that is there in no other form) or negative. ``photo``: name of the photo it was
    made of. ``source``: row number of a copy's source. ``edit``, ``family``, ``strength``,
    ``trained``: of the variant (see :mod:`benchmarks.accuracy.edits`). ``parameters``: what was
    set, and the numbers drawn. ``relation``, ``box``, ``orientation``, ``scale``: as a match of the
    copy and its source should say (:class:`ris_jobs.match.Match`), None where it is not to be told.
    ``group``: of a negative.
    """

    file: str
    kind: str
    photo: str | None = None
    source: int | None = None
    edit: str | None = None
    family: str | None = None
    strength: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    trained: bool = False
    relation: str | None = None
    box: Box | None = None
    orientation: int | None = None
    scale: float | None = None
    group: str | None = None

    def shows_also(self, other: Row) -> bool:
        """Whether both are negatives that show one photo, each in its own surroundings: neither a
        copy of the other nor mere look-alikes, and no pair to be judged by."""
        shown = {self.group, other.group} <= SHOWING.keys() and self.file != other.file
        return shown and self.photo == other.photo
