"""What one vector takes in an index, in bytes, by the formulas of Milvus' documentation.

float32 vectors take 4 bytes a dimension, SQ8 codes one, RaBitQ codes a bit and 8 bytes more. A
graph takes 4 bytes a link, and its lowest layer, which holds nearly all, twice M links a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ris_jobs.indexes import DEGREE
from ris_jobs.planning.constants import constant

__all__ = ["FORMULAS", "in_memory", "on_disk"]

_SECTOR = 4096
_Formula = tuple[str, Callable[[int, int], float]]

FORMULAS: Mapping[str, _Formula] = {
    "FLAT": ("4 dim", lambda dim, m: 4 * dim),
    "HNSW": ("4 dim + 8 M", lambda dim, m: 4 * dim + 8 * m),
    "HNSW_SQ": ("dim + 8 M", lambda dim, m: dim + 8 * m),
    "IVF_FLAT": ("4 dim", lambda dim, m: 4 * dim),
    "IVF_SQ8": ("dim", lambda dim, m: dim),
    "IVF_RABITQ": ("dim / 8 + 8 + dim", lambda dim, m: dim / 8 + 8 + dim),
    "DISKANN": (
        "4 dim (pq_share + cache_share)",
        lambda dim, m: 4 * dim * (constant("pq_share") + constant("cache_share")),
    ),
}


def in_memory(kind: str, dim: int, degree: int = DEGREE) -> float:
    """Bytes a vector of ``dim`` dimensions in the memory of a query node, keys not counted;
    ``degree`` is M of the graphs."""
    return FORMULAS[kind][1](dim, degree)


def on_disk(kind: str, dim: int) -> float:
    """Bytes a vector on the disk of a query node. DISKANN keeps each vector with its neighbours,
    as many as fit whole into sectors of 4 KiB; the other kinds are read into memory."""
    if kind != "DISKANN":
        return 0.0
    node = 4 * dim + 4 * (1 + constant("disk_degree"))
    fitting = _SECTOR // node
    return _SECTOR / fitting if fitting else _SECTOR * -(-node // _SECTOR)
