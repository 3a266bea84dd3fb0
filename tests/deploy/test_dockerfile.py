"""The Dockerfile's steps, as far as they can be followed without a container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Dockerfile").read_text("utf-8")
LINES = [line for line in re.sub(r"\\\n\s*", "", TEXT).splitlines() if line and line[0] != "#"]
IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()


def steps(word: str) -> list[str]:
    return [line.removeprefix(f"{word} ") for line in LINES if line.startswith(f"{word} ")]


def test_what_is_copied_is_there_and_let_through() -> None:
    allowed = {line[1:] for line in IGNORED if line.startswith("!")}
    assert "*" in IGNORED
    assert len(copied("build")) == 6
    for path in (*copied("build"), *copied("image")):
        assert (ROOT / path).exists()
        assert path.partition("/")[0] in allowed


def copied(stage: str) -> list[str]:
    """Of the build, or of the image."""
    first, second = TEXT.split("FROM python")[1:]
    lines = re.findall(r"^COPY ((?!--from).+)$", first if stage == "build" else second, re.M)
    return [path for line in lines for path in line.split()[:-1]]


def test_what_the_build_gets_makes_the_whole_package(tmp_path: Path) -> None:
    for path in copied("build"):
        source = ROOT / path
        if source.is_dir():
            shutil.copytree(source, tmp_path / path, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / path)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", "wheel"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ris_jobs/planning/constants.json" in names
    assert any(name.startswith("ris_jobs/_sql/migrations/") for name in names)


def test_the_base_is_pinned_and_both_stages_share_it() -> None:
    (base,) = re.findall(r"^ARG PYTHON=(.+)$", TEXT, re.MULTILINE)
    assert re.fullmatch(r"3\.\d+\.\d+-slim-\w+", base)
    assert all(step.startswith("python:${PYTHON}") for step in steps("FROM"))
    assert len(steps("FROM")) == 2


def test_it_ends_as_an_account_without_rights() -> None:
    assert steps("USER") == ["ris"]
    assert LINES.index("USER ris") > max(LINES.index(f"RUN {step}") for step in steps("RUN"))
    assert steps("HEALTHCHECK")


def test_pins_hold_and_extras_exist() -> None:
    (install,) = [step for step in steps("RUN") if "pip install" in step]
    extras = re.search(r"'\.\[([\w,]+)\]'", install)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert extras and set(extras[1].split(",")) <= set(project["optional-dependencies"])
    assert "PIP_CONSTRAINT=constraints.txt" in TEXT


def test_what_the_chart_calls_lies_where_it_looks() -> None:
    """Its probes run ``/entrypoint airflow …``, its groomers of logs ``bash /clean-logs``."""
    at = dict(re.findall(r"^COPY (deploy/\S+) (/\S+)$", TEXT, re.M))
    assert at == {"deploy/entrypoint.sh": "/entrypoint", "deploy/clean-logs.sh": "/clean-logs"}
    assert all(os.access(ROOT / path, os.X_OK) for path in at)
    assert steps("ENTRYPOINT") == ['["tini", "--", "/entrypoint"]']


def test_no_secret_goes_in() -> None:
    assert not re.search(r"PASSWORD|SECRET|TOKEN|_KEY", TEXT)
