"""The import rules of docs/architecture.md hold, and the check of them can fail."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = ROOT / "pyproject.toml"
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the ``ris_jobs`` under ``folder`` by the contracts in this project's pyproject.toml."""
    command = (
        "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", command, "--config", str(PYPROJECT), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def modules_under_contract() -> set[str]:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    lines = [line for contract in contracts for names in contract.values() for line in names]
    names = {name.strip() for line in lines for name in line.split("|")}
    return {name for name in names if name.startswith("ris_jobs.")}


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A ``ris_jobs`` of empty packages: all that the contracts name, and no import."""
    for name in modules_under_contract():
        package = tmp_path.joinpath(*name.split("."))
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    (tmp_path / "ris_jobs" / "__init__.py").touch()
    return tmp_path


def test_imports_follow_the_design() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


def test_a_package_without_imports_passes(skeleton: Path) -> None:
    result = lint_imports(skeleton)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "verdict"),
    [
        ("crawl", "import sqlalchemy", "ris_jobs.crawl is not allowed to import sqlalchemy"),
        ("crawl", "import benchmarks", "ris_jobs is not allowed to import benchmarks"),
        ("report", "from ris_jobs import store", "ris_jobs.report is not allowed to import"),
        ("fingerprint", "from ris_jobs import match", "ris_jobs.fingerprint is not allowed to"),
        ("store", "from ris_jobs import jobs", "ris_jobs.store is not allowed to import"),
        ("jobs", "from ris_jobs import cli", "ris_jobs.jobs is not allowed to import"),
    ],
)
def test_a_forbidden_import_fails(skeleton: Path, module: str, line: str, verdict: str) -> None:
    (skeleton / "ris_jobs" / module / "__init__.py").write_text(f"{line}\n")
    result = lint_imports(skeleton)
    assert result.returncode == 1
    assert verdict in result.stdout


def imported(statements: list[ast.stmt]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def heavy(names: Iterator[str]) -> list[str]:
    """Imports that the scheduler would pay for at every parse of the file."""
    light = {*sys.stdlib_module_names, *(path.stem for path in DAG_FILES)}
    return [n for n in names if n.split(".")[0] not in light and not n.startswith("airflow.sdk.")]


def not_jobs(names: Iterator[str]) -> list[str]:
    """Parts of ris_jobs that are the jobs' business, not a DAG's."""
    theirs = ("errors", "jobs", "logs", "progress", "report", "settings")
    ours = [name for name in names if name.split(".")[0] == "ris_jobs"]
    return [name for name in ours if name.split(".")[1] not in theirs]


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_thin(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert heavy(imported(tree.body)) == []
    assert not_jobs(imported([n for n in ast.walk(tree) if isinstance(n, ast.stmt)])) == []


def test_a_fat_dag_file_would_be_found() -> None:
    tree = ast.parse(
        "import torch\nfrom airflow.models import DAG\nfrom ris_jobs.store import runs\n"
    )
    assert heavy(imported(tree.body)) == ["torch", "airflow.models.DAG", "ris_jobs.store.runs"]
    assert not_jobs(imported(tree.body)) == ["ris_jobs.store.runs"]
