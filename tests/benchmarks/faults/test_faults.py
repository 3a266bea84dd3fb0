"""A few of the faults, and that the comparison would see what they could do.

All of them are `python -m benchmarks.faults`; here are those that need the most to go well.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults.__main__ import differences, suffered
from benchmarks.faults.catalogue import FAULTS, undisturbed
from benchmarks.faults.scene import Outcome, Scene

ROOT = Path(__file__).resolve().parents[3]
MOUNTS = ("unshare", "--user", "--map-root-user", "--mount", "true")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene.set_up(tmp_path_factory.mktemp("faults"), away=2) as scene:
        yield scene


@pytest.fixture(scope="module")
def wanted(scene: Scene) -> Outcome:
    return undisturbed(scene)


def test_a_night_has_something_to_lose(wanted: Outcome) -> None:
    assert len(wanted.tables["matches"]) > 15 and len(wanted.tables["families"]) > 3
    assert len(wanted.tables["quarantine"]) == 2 and wanted.tables["hits"]
    assert wanted.vectors[0] > 100 and wanted.vectors[1:] == (0, 0)


def test_what_is_lost_or_doubled_is_seen(wanted: Outcome) -> None:
    assert differences(wanted, wanted) == []
    matches = wanted.tables["matches"]
    for changed in (matches[1:], [*matches, matches[0]]):
        tables = {**wanted.tables, "matches": changed}
        (said,) = differences(replace(wanted, tables=tables), wanted)
        assert said.startswith("matches: ")
    (said,) = differences(replace(wanted, vectors=(0, 1, 0)), wanted)
    assert said.startswith("vectors")


@pytest.mark.parametrize(
    "name",
    [
        "worker killed while Milvus takes vectors",
        "Milvus stopped before a search",
        "PostgreSQL restarted in match",
        "disk full on previews",
    ],
)
@pytest.mark.slow(16)
def test_a_fault_leaves_what_an_undisturbed_night_leaves(
    name: str, scene: Scene, wanted: Outcome
) -> None:
    if name.startswith("disk") and subprocess.run(MOUNTS, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    wrong, said = suffered(FAULTS[name], scene, wanted)
    assert wrong == [], said


def test_every_fault_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert set(FAULTS) - set(re.findall(r"^\| ([^|]+?) \|", page, re.MULTILINE)) == set()
