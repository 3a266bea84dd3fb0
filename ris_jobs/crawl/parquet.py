"""Rows of a Parquet file from anywhere, read where it can hurt nobody.

A file of some KB may hold cells of GB. It is read in a child process with limits of memory and CPU
time, which writes a line of JSON for each row, its cells cut to length.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from ris_jobs.errors import ConfigError

__all__ = ["rows"]

MAX_MEMORY = 1 << 30
"""Bytes of private memory that a file may take of its reader."""

MAX_SECONDS = 1800
"""Seconds of CPU time, likewise."""

MAX_TEXT = 8 << 30
"""Bytes of JSON that are taken of one file."""

_PROGRAM = """
import json, sys
path, *arguments = json.loads(sys.argv[1])
sys.path[:] = path
from ris_jobs.crawl.parquet_child import write_rows
write_rows(*arguments)
"""


def rows(file: Path, where: str, names: Sequence[str], max_cell: int) -> Iterator[dict[str, str]]:
    """Column to text of each row, without nested columns and empty cells; text has at most
    ``max_cell`` characters. :class:`ConfigError` names ``where`` when the file cannot be read,
    takes too much, or has none of the columns ``names``."""
    if not _is_whole(file):
        raise ConfigError(where, "is Parquet that cannot be read: it does not end as such a file")
    arguments = json.dumps([sys.path, str(file), list(names), max_cell, MAX_MEMORY, MAX_SECONDS])
    with (
        TemporaryFile() as words,
        subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=words,
        ) as child,
    ):
        try:
            taken = 0
            for line in child.stdout or ():
                if (taken := taken + len(line)) > MAX_TEXT:
                    raise ConfigError(
                        where, f"is Parquet of more than {MAX_TEXT >> 30} GiB of text"
                    )
                yield json.loads(line)
            if child.wait() != 0:
                words.seek(0)
                raise ConfigError(where, _problem(child.returncode, words.read(2000)))
        finally:
            child.kill()


def _is_whole(file: Path) -> bool:
    """Whether it ends as Parquet does: the shortest has 12 bytes."""
    if file.stat().st_size < 12:
        return False
    with file.open("rb") as opened:
        opened.seek(-4, 2)
        return opened.read() == b"PAR1"


def _problem(status: int, words: bytes) -> str:
    """What a child said that ended by itself; one that was ended could say nothing."""
    if status == 1:
        return words.decode("utf-8", "replace").strip()
    return (
        f"is Parquet that takes more than {MAX_MEMORY >> 20} MiB of memory or "
        f"{MAX_SECONDS} s to read, or breaks its reader"
    )
