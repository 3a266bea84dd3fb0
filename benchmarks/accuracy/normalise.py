"""Score normalisation: what is near to everything counts for less.

After SSCD (Pizzi et al., arXiv 2202.10261): the new score is s − β · b(query), where b is the mean
of the cosines to the nearest pictures of a background set, which holds neither copies nor sources.
"""

from __future__ import annotations

import numpy as np

from benchmarks.accuracy.described import Described
from benchmarks.accuracy.metrics import Scores


def normalised(
    similarity: Scores, queries: Described, background: Described, *, beta: float, top: int
) -> Scores:
    """``similarity`` float32 (queries, references) less ``beta`` times each query's mean cosine
    to the ``top`` nearest of the background; −inf stays. As in the paper, it is another from the
    other side. ValueError where fewer than ``top`` of the background could be read."""
    return similarity - np.float32(beta) * _commonness(queries, background, top)[:, None]


def normalised_both(
    similarity: Scores,
    queries: Described,
    references: Described,
    background: Described,
    *,
    beta: float,
    top: int,
) -> Scores:
    """As :func:`normalised`, by the mean of the query's and the reference's: equal from both
    sides, as a match must be."""
    rows = _commonness(queries, background, top)
    columns = _commonness(references, background, top)
    return similarity - np.float32(beta / 2) * (rows[:, None] + columns)


def _commonness(described: Described, background: Described, top: int) -> Scores:
    """(files,): of whole pictures, whichever part made a pair near; 0 for unread files."""
    wholes, others = described.wholes, background.wholes
    if not 1 <= top <= len(others):
        raise ValueError(f"top must be 1 to {len(others)}, the background's files, not {top}")
    cosines = described.codes[wholes] @ background.codes[others].T
    common = np.zeros(described.files, np.float32)
    common[described.owner[wholes]] = np.partition(cosines, -top, axis=1)[:, -top:].mean(axis=1)
    return common
