"""What a run notes as its code changes with the rules, and with nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import ris_jobs
from ris_jobs.rules import code_version, rules_hash, same_rules


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Path(ris_jobs.__file__).parent, tmp_path / "elsewhere"))


def test_the_code_is_the_version_and_the_rules(package: Path) -> None:
    assert re.fullmatch(rf"{re.escape(ris_jobs.__version__)}\+[0-9a-f]{{8}}", code_version())
    assert code_version().endswith(f"+{rules_hash(package)}")


@pytest.mark.parametrize(
    "rule",
    [
        *("match/suppression.py", "match/calibration.json", "provenance/model.json"),
        *("fingerprint/descriptor/models/builtin.safetensors", "formats.py"),
    ],
)
def test_a_rule_that_changes_or_moves_makes_others(package: Path, rule: str) -> None:
    before, path = rules_hash(package), package / rule
    moved = path.rename(path.with_stem("moved"))
    assert rules_hash(package) != before
    moved.rename(path)
    assert rules_hash(package) == before
    path.write_bytes(path.read_bytes() + b" ")
    assert rules_hash(package) != before


@pytest.mark.parametrize(
    "other",
    ["report/text.py", "cli/common.py", "match/.rule.py.swp", "match/__pycache__/made.cpython.pyc"],
)
def test_what_decides_nothing_leaves_the_rules_as_they_are(package: Path, other: str) -> None:
    before, path = rules_hash(package), package / other
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"changed")
    assert rules_hash(package) == before


def test_rules_are_told_apart_whatever_the_version() -> None:
    assert same_rules("1+a", "1+a") and same_rules("1+a", "2+a")
    assert not same_rules("1+a", "1+b")
    assert not same_rules("1", "1+a") and not same_rules("1", "1")
