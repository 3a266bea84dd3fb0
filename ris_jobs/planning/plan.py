"""A plan: figures in order, each from those before it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from ris_jobs.indexes import DEGREE
from ris_jobs.planning.constants import Constant, constant, constants
from ris_jobs.planning.index_size import FORMULAS, in_memory, on_disk

__all__ = ["Ask", "Figure", "Lever", "Plan", "plan"]

_GB, _GIB = 1e9, 2**30
_GRAPHS = ("HNSW", "HNSW_SQ", "DISKANN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What to plan for: ``images`` in all, ``per_night`` new ones, ``index`` a kind of
    :data:`ris_jobs.indexes.KINDS`, ``dim`` of the model, ``grid`` windows and at most ``boxes``
    boxes described beside the whole; ``nodes`` machines for the jobs, or as many as a night
    needs."""

    images: int
    per_night: int
    index: str = "HNSW"
    dim: int = 256
    grid: int = 5
    boxes: int = 10
    nodes: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """``formula`` in words, constants by their names; ``of`` is what it is about."""

    of: str
    name: str
    value: float
    unit: str
    formula: str

    @property
    def constants(self) -> list[Constant]:
        """Those that the formula names, in order."""
        known = constants()
        return [
            known[word]
            for word in dict.fromkeys(re.findall(r"[a-z_]+", self.formula))
            if word in known
        ]


@dataclass(frozen=True, slots=True)
class Lever:
    """What one change would do: memory of all query nodes in GB, cores that search wants."""

    change: str
    memory_gb: float
    cores: float


@dataclass(frozen=True, slots=True)
class Plan:
    ask: Ask
    figures: tuple[Figure, ...]
    levers: tuple[Lever, ...]

    def __getitem__(self, name: str) -> float:
        return next(f.value for f in self.figures if f.name == name)

    @property
    def constants(self) -> list[Constant]:
        """Those in the formulas of the figures, each once."""
        return [*dict.fromkeys(c for figure in self.figures for c in figure.constants)]


def plan(ask: Ask) -> Plan:
    """Figures and levers for what is asked."""
    return Plan(ask, tuple(_figures(ask)), tuple(_levers(ask)))


def _figures(ask: Ask) -> list[Figure]:
    figures = _vectors(ask)
    for part in (_milvus, _disk, _night, _machines):
        figures += part(ask, {f.name: f.value for f in figures})
    return figures


def _vectors(ask: Ask) -> list[Figure]:
    boxes = min(ask.boxes, constant("boxes"))
    parts = 1 + ask.grid + boxes
    limited = "boxes" if boxes < ask.boxes else str(ask.boxes)
    return [
        Figure("vectors", "parts", parts, "an image", f"1 + {ask.grid} windows + {limited}"),
        Figure(
            "vectors", "vectors", round(ask.images * (parts + 1)), "", "images × (parts + 1 hash)"
        ),
    ]


def _milvus(ask: Ask, known: dict[str, float]) -> list[Figure]:
    vectors, of = known["vectors"], "Milvus"
    index = vectors * in_memory(ask.index, ask.dim) / _GB
    keys = vectors * constant("key_bytes") / _GB
    local = vectors * on_disk(ask.index, ask.dim) / _GB
    segments = vectors * 4 * ask.dim / _GIB
    figures = [
        Figure(of, "index memory", index, "GB", _index_formula(ask)),
        Figure(of, "key memory", keys, "GB", "vectors × key_bytes"),
        Figure(of, "segments", segments, "", "vectors × 4 dim / 1 GiB"),
    ]
    if local:
        formula = "vectors in sectors of 4 KiB, of 4 dim + 4 (1 + disk_degree) each"
        figures.append(Figure(of, "local disk", local, "GB", formula))
    return figures


def _index_formula(ask: Ask) -> str:
    """With the values of what it names that is no constant."""
    formula = FORMULAS[ask.index][0]
    given = f"dim = {ask.dim}" + (f", M = {DEGREE}" if "M" in formula else "")
    return f"vectors × ({formula}), {given}"


def _disk(ask: Ask, known: dict[str, float]) -> list[Figure]:
    rows = 4 * ask.dim * known["parts"] + constant("row_bytes")
    matches = constant("matches") * constant("match_bytes")
    previews = ask.images * constant("preview_bytes") / _GB
    keypoints = ask.images * constant("keypoint_bytes") / _GB
    raw = known["vectors"] * (4 * ask.dim + constant("key_bytes")) / _GB
    index = known.get("local disk") or known["index memory"]
    return [
        Figure("PostgreSQL", "database", ask.images * (rows + matches) / _GB, "GB",
               "images × (4 dim × parts + row_bytes + matches × match_bytes)"),
        Figure("object store", "previews", previews, "GB", "images × preview_bytes"),
        Figure("object store", "keypoints", keypoints, "GB", "images × keypoint_bytes"),
        Figure("object store", "Milvus' files", raw + index, "GB",
               "vectors × (4 dim + key_bytes) + index"),
    ]  # fmt: skip


def _night(ask: Ask, known: dict[str, float]) -> list[Figure]:
    fingerprint = constant("fingerprint_seconds") + (
        constant("megapixel_seconds") * constant("megapixels")
    )
    judge = constant("judge_seconds") * constant("judge_limit") / constant("judge_pairs")
    search, formula = _search(ask, known)
    of, unit = "work of a night", "core hours"
    return [
        Figure(of, "fingerprint", ask.per_night * fingerprint / 3600, unit,
               "per night × (fingerprint_seconds + megapixel_seconds × megapixels)"),
        Figure(of, "search", ask.per_night * search / 3600, unit, f"per night × {formula}"),
        Figure(of, "judge", ask.per_night * judge / 3600, unit,
               "per night × judge_seconds × judge_limit / judge_pairs"),
    ]  # fmt: skip


def _search(ask: Ask, known: dict[str, float]) -> tuple[float, str]:
    """Core seconds an image: its whole is looked for among all parts, its other parts among
    wholes, its hash twice among hashes. So much of all vectors is passed."""
    parts = known["parts"]
    passes = (parts + (parts - 1) + 2) / (parts + 1)
    passed = "(parts + (parts - 1) + 2) / (parts + 1)"
    if ask.index in _GRAPHS:
        seconds = passes * known["segments"] * constant("segment_seconds")
        return seconds, f"{passed} × segments × segment_seconds"
    gigabytes = passes * known["vectors"] * 4 * ask.dim / _GB
    formula, share = f"{passed} × vectors × 4 dim × scan_seconds / GB", 1.0
    if ask.index != "FLAT":
        formula, share = f"{formula} × probed", constant("probed")
    return gigabytes * constant("scan_seconds") * share, formula


def _machines(ask: Ask, known: dict[str, float]) -> list[Figure]:
    """Search has half of the night at most; the other stages have what it leaves."""
    cores, hours = constant("cores"), constant("night_hours")
    memory = known["index memory"] + known["key memory"]
    by_memory = math.ceil(memory / (constant("memory_gb") * constant("usable")))
    by_cores = math.ceil(known["search"] / (hours / 2) / cores)
    querying = max(1, by_memory, by_cores)
    searching = known["search"] / querying / cores
    work = known["fingerprint"] + known["judge"]
    nodes = ask.nodes or max(1, math.ceil(work / (hours - searching) / cores))
    working = work / nodes / cores
    needed = "(fingerprint + judge) / (night_hours - hours of search) / cores"
    return [
        Figure("machines", "query nodes", querying, "",
               "the larger of (index memory + key memory) / (memory_gb × usable) "
               "and search / (night_hours / 2) / cores"),
        Figure("machines", "job nodes", nodes, "", "as asked" if ask.nodes else needed),
        Figure("machines", "other nodes", 4, "",
               "one each: PostgreSQL; Airflow; Milvus' coordinators and etcd; object store"),
        Figure("a night", "hours of search", searching, "hours", "search / query nodes / cores"),
        Figure("a night", "hours of jobs", working, "hours",
               "(fingerprint + judge) / job nodes / cores"),
        Figure("a night", "hours", searching + working, "hours", "hours of search + hours of jobs"),
    ]  # fmt: skip


def _levers(ask: Ask) -> list[Lever]:
    changes = {f"RIS_INDEX={kind}": replace(ask, index=kind) for kind in FORMULAS}
    changes["RIS_REGIONS=0+0"] = replace(ask, grid=0, boxes=0)
    changes["RIS_REGIONS=0+10"] = replace(ask, grid=0, boxes=10)
    return [_lever(change, asked) for change, asked in changes.items() if asked != ask]


def _lever(change: str, ask: Ask) -> Lever:
    known = {f.name: f.value for f in _figures(ask)}
    memory = known["index memory"] + known["key memory"]
    return Lever(change, memory, known["search"] / constant("night_hours"))
