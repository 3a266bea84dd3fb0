"""Measures what each kind of index costs and finds: ``python -m benchmarks.indexes``.

Random unit vectors around a thousand centres, in collections of their own that are dropped; on
Milvus Lite in a folder of its own, or on the server of RIS_MILVUS_URI. A server shows only what
the clock says; Milvus Lite works in this process, and so its CPU time is known too.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time, sleep

import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine, versions, where
from ris_jobs.errors import ConfigError
from ris_jobs.indexes import KINDS
from ris_jobs.match.candidates import Described
from ris_jobs.settings import Settings
from ris_jobs.store.runs import Model
from ris_jobs.store.vectors import Vectors, open_vectors

_CENTRES, _SPREAD, _BATCH, _QUERIES = 1000, 0.08, 10_000, 1000
# A scan asks for so many, four for each of the 50 images that it looks at.
_K, _NEAREST = 200, 50
_Vectors = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args()
    print(where(machine(), versions()))
    stored, queries = _made(given.vectors, given.dim), _made(_QUERIES, given.dim, seed=1)
    print("| index | insert s | build s | build CPU s | queries/s | CPU ms a query | recall |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.kinds.split(","):
            settings = Settings(home=Path(folder) / kind, index=kind)
            settings = replace(settings, milvus_uri=os.environ.get("RIS_MILVUS_URI"))
            _measure(settings, stored, queries)


def _made(count: int, dim: int, seed: int = 0) -> _Vectors:
    centres = np.random.default_rng(99).normal(size=(_CENTRES, dim))
    rng = np.random.default_rng(seed)
    made = centres[rng.integers(0, _CENTRES, count)] / dim**0.5
    made += rng.normal(size=made.shape) * _SPREAD
    unit: _Vectors = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _measure(settings: Settings, stored: _Vectors, queries: _Vectors) -> None:
    model = Model(
        name="bench",
        version="1",
        weights_sha256=uuid.uuid4().hex,
        dim=stored.shape[1],
        input_size=1,
        regions="0+0",
    )
    try:
        vectors = open_vectors(settings, model)
    except ConfigError as e:
        print(f"| {settings.index} | {e} |")
        return
    with vectors:
        insert, build, build_cpu = _filled(vectors, stored)
        vectors.search(queries[:1], _K)
        started, cpu = perf_counter(), process_time()
        found = vectors.search(queries, _K)
        took, cpu = perf_counter() - started, process_time() - cpu
        cells = (f"{insert:.1f}", f"{build:.1f}", f"{build_cpu:.1f}", f"{_QUERIES / took:.0f}")
        share = _recall(found.ids, stored, queries)
        print("|", " | ".join((vectors.index, *cells, f"{cpu / _QUERIES * 1e3:.2f}")), end=" | ")
        print(f"{share:.4f} |", flush=True)
        vectors.drop(vectors.collection)


def _filled(vectors: Vectors, stored: _Vectors) -> tuple[float, float, float]:
    """Seconds to put them in, to build the index, and of CPU time for that."""
    started = perf_counter()
    for first in range(0, len(stored), _BATCH):
        some = stored[first : first + _BATCH]
        vectors.upsert(Described.of({first + i: v[None] for i, v in enumerate(some)}))
    inserted, cpu = perf_counter(), process_time()
    client, name = vectors._client, vectors.collection
    client.flush(name, timeout=3600)
    while client.describe_index(name, "vector").get("pending_index_rows"):
        sleep(0.2)
    client.release_collection(name)
    client.load_collection(name)
    return inserted - started, perf_counter() - inserted, process_time() - cpu


def _recall(ids: npt.NDArray[np.int64], stored: _Vectors, queries: _Vectors) -> float:
    """Of the 50 true nearest, the share that is among what was found."""
    nearest = np.argpartition(-(queries @ stored.T), _NEAREST, axis=1)[:, :_NEAREST]
    both = [len(np.intersect1d(one, two)) for one, two in zip(ids, nearest, strict=True)]
    return float(np.mean(both) / _NEAREST)


if __name__ == "__main__":
    main()
