"""Kinds of vector index that Milvus builds, each with what it is built and searched by.

FLAT compares with everything. HNSW walks a graph; HNSW_SQ does, too, with a byte a dimension. The
IVF kinds look into the nearest of many cells: IVF_SQ8 at a byte a dimension, IVF_RABITQ at a bit,
and at a byte for those that come out nearest. DISKANN keeps vectors and graph on disk. FLAT, HNSW,
IVF_FLAT and DISKANN give exact cosines, the others such as are a few thousandths off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["DEGREE", "KINDS", "Kind"]

# Neighbours of a vector in an HNSW graph; the lowest layer has twice as many.
DEGREE = 32
# How widely a graph is searched at least, and how many cells of an IVF index.
_WIDTH, _PROBES = 128, 64
_GRAPH = {"M": DEGREE, "efConstruction": 200}
# A segment of a GB holds a million vectors of 256 dimensions: four times the root of that, as
# Milvus' documentation has it. It takes fewer for smaller ones by itself.
_CELLS = {"nlist": 4096}


@dataclass(frozen=True, slots=True)
class Kind:
    """``build``: parameters of ``create_index``; ``width``: the search parameter that says how
    widely to look, at least ``least``, and at least k where ``by_k``; ``lite``: whether Milvus
    Lite builds it."""

    name: str
    build: Mapping[str, Any]
    width: str | None = None
    least: int = 0
    by_k: bool = False
    lite: bool = False

    def search(self, k: int) -> dict[str, int]:
        """Search parameters for the ``k`` nearest."""
        if self.width is None:
            return {}
        return {self.width: max(k, self.least) if self.by_k else self.least}


def _graph(name: str, build: dict[str, Any]) -> Kind:
    return Kind(name, _GRAPH | build, "ef", _WIDTH, by_k=True, lite=True)


def _cells(name: str, build: dict[str, Any], *, lite: bool) -> Kind:
    return Kind(name, _CELLS | build, "nprobe", _PROBES, lite=lite)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("FLAT", {}, lite=True),
        _graph("HNSW", {}),
        _graph("HNSW_SQ", {"sq_type": "SQ8"}),
        _cells("IVF_FLAT", {}, lite=True),
        _cells("IVF_SQ8", {}, lite=True),
        _cells("IVF_RABITQ", {"refine": True, "refine_type": "SQ8"}, lite=False),
        Kind("DISKANN", {}, "search_list", _WIDTH, by_k=True),
    )
}
