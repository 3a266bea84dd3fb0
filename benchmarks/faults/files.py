"""A full disk, and a file that ends its decoder."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.faults import pictures
from benchmarks.faults.scene import Outcome, Scene, through


def disk_full(scene: Scene) -> Outcome:
    """A file system for previews (tmpfs) that is full after a few; then it is enlarged."""
    night = scene.night()
    script = """
        set -eu
        mkdir -p "$1" && mount -t tmpfs -o size=60k none "$1"
        if "$2" -m ris_jobs scan "$3" 2>"$4"; then echo "a full disk did not matter" >&2; exit 1; fi
        mount -o remount,size=64m "$1"
        "$2" -m ris_jobs scan "$3"
        find "$1" -name '*.jpg' | wc -l
    """
    said = night.settings.home.with_suffix(".said")
    arguments = (str(night.settings.home / "previews"), sys.executable, str(scene.pictures))
    done = subprocess.run(
        [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "-",
            *arguments,
            said,
        ],
        env=night.environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{done.stderr.strip()} {said.read_text() if said.exists() else ''}")
    previews = int(done.stdout.split()[-1])
    wanted = len([row for row in night.tables()["images"] if row[1] == "ok"])
    assert previews == wanted, f"{previews} previews of {wanted} images"
    return Outcome(night.tables(), night.vectors(), [said.read_text().strip()])


def poisoned(scene: Scene) -> Outcome:
    """An image that ends its decoder: it alone is quarantined, the rest is as without it."""
    night = scene.night(decode_seconds=1)
    night.folder = scene.base / "with-poison"
    pictures.write(night.folder)
    pictures.poison(night.folder)
    outcome = through(night, {})
    (poison,) = [row for row in outcome.tables["quarantine"] if str(row[0]).endswith("poison.jpg")]
    assert poison[1] == "decoder-too-slow", poison
    tables = {
        name: [
            _elsewhere(row, night.folder, scene.pictures) for row in rows if not _of(row, poison)
        ]
        for name, rows in outcome.tables.items()
    }
    return replace(outcome, tables=tables, said=[str(poison[2])])


def _of(row: tuple[object, ...], poison: tuple[object, ...]) -> bool:
    return poison[0] in row or row[1:4] == ("quarantined", *poison[1:3])


def _elsewhere(row: tuple[object, ...], here: Path, there: Path) -> tuple[object, ...]:
    return tuple(_moved(v, f"{here}/", f"{there}/") for v in row)


def _moved(value: object, here: str, there: str) -> object:
    if isinstance(value, list):
        return [_moved(v, here, there) for v in value]
    return value.replace(here, there) if isinstance(value, str) else value
