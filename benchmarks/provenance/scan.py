"""Scans a suite night by night, by `ris scan` into a home of its own, and reads what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from benchmarks.provenance.scores import Said
from benchmarks.provenance.suite import NIGHTS, Family

_RIS = (sys.executable, "-c", "from ris_jobs.cli import main; main()")


def scan(families: Sequence[Family], files: Path, out: Path) -> None:
    """All nights, one after the other."""
    for night in range(NIGHTS):
        arrive(families, files, out, night)


def arrive(families: Sequence[Family], files: Path, out: Path, night: int) -> None:
    """The night's files join those of the nights before, and all are scanned."""
    arrived = out / "arrived"
    arrived.mkdir(parents=True, exist_ok=True)
    for file in (f for family in families for f in family.files if f.night == night):
        shutil.copy2(files / file.name, arrived / file.name)
    ris(out, "scan", str(arrived), "--json")


def verdicts(out: Path) -> tuple[dict[str, int], dict[int, Said], dict[int, Sequence[str]]]:
    """File name → family, family → what is said of it, and family → reasons."""
    rows = [json.loads(line) for line in ris(out, "export", "families").splitlines()]
    family_of = {_name(uri): row["family_id"] for row in rows for uri in row["members"]}
    said = {row["family_id"]: _said(row) for row in rows}
    return family_of, said, {row["family_id"]: row["reasons"] for row in rows}


def ris(out: Path, *words: str) -> str:
    """What `ris` prints; its messages go to the terminal."""
    home = {"RIS_HOME": str((out / "home").resolve())}
    done = subprocess.run(
        [*_RIS, *words], env={**os.environ, **home}, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _said(row: Mapping[str, Any]) -> Said:
    source = row["source_uri"]
    return Said(None if source is None else _name(source), row["confidence"])


def _name(uri: str) -> str:
    return Path(unquote(urlsplit(uri).path)).name
