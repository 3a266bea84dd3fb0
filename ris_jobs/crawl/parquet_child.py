"""The child process of :mod:`ris_jobs.crawl.parquet`."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS = 1000
_BUFFER = 1 << 20


def write_rows(file: str, names: Sequence[str], max_cell: int, memory: int, seconds: int) -> None:
    """Write rows to standard output as JSON; exit with 1 and a sentence on standard error, or die,
    if that cannot be done within ``memory`` bytes and ``seconds`` of CPU time."""
    pa.set_memory_pool(pa.system_memory_pool())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        _write(file, names, max_cell)
    except MemoryError:
        sys.exit(f"is Parquet that takes more than {memory >> 20} MiB of memory to read")
    except (pa.ArrowException, OSError, ValueError) as e:
        sys.exit(f"is Parquet that cannot be read: {' '.join(str(e).split())[:300]}")


def _write(file: str, names: Sequence[str], max_cell: int) -> None:
    with pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER) as opened:
        simple = [f.name for f in opened.schema_arrow if not pa.types.is_nested(f.type)]
        if not {n.lower() for n in simple} & set(names):
            sys.exit(f"is a list without any of the columns {', '.join(names)}")
        for batch in opened.iter_batches(_ROWS, columns=simple, use_threads=False):
            for row in batch.to_pylist():
                cells = {k: str(v)[:max_cell] for k, v in row.items() if v is not None}
                sys.stdout.write(json.dumps(cells) + "\n")
