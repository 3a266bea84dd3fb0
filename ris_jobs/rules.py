"""The code that a run notes: the version, and which rules it judged by."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from ris_jobs import __version__

_DECIDING = ("fingerprint", "formats.py", "match", "provenance")
_SUFFIXES = (".json", ".py", ".safetensors")


@cache
def code_version() -> str:
    """Like ``0.1.0+3f2a91c0``: the version, and the hash of the rules that are installed."""
    return f"{__version__}+{rules_hash(Path(__file__).parent)}"


def rules_hash(package: Path) -> str:
    """8 hex digits over the sources and data in ``package`` that decide results: their names and
    what they hold, so the same wherever it is installed."""
    files = (path for path in package.rglob("*") if _decides(path, package))
    lines = [
        f"{path.relative_to(package).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:8]


def same_rules(one: str, other: str) -> bool:
    """Whether two codes judged by the same rules; one that names none judged by others."""
    return one.partition("+")[2] == other.partition("+")[2] != ""


def _decides(path: Path, package: Path) -> bool:
    part = path.relative_to(package).parts[0]
    return part in _DECIDING and path.suffix in _SUFFIXES and path.is_file()
