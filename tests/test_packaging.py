"""What gets installed: the wheel's files and the pins."""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from ris_jobs.rules import code_version

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"[a-z0-9-]+==[^\s;@/]+( ; .+)?")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def files_under(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix() for path in paths if "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_with_its_data(wheel: zipfile.ZipFile) -> None:
    expected = {f"ris_jobs/{name}" for name in files_under(ROOT / "ris_jobs")}
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_the_sql_where_an_installed_package_looks(wheel: zipfile.ZipFile) -> None:
    expected = {f"ris_jobs/_sql/{name}" for name in files_under(ROOT / "sql")}
    assert expected
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {
        "ris_jobs",
        "ris_jobs-{version}.dist-info".format(**project()),
    }


def test_an_installed_package_has_the_rules_of_its_sources(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    assert compileall.compile_dir(tmp_path / "ris_jobs" / "match", quiet=1)
    said = "from ris_jobs import rules; print(rules.__file__, rules.code_version())"
    told = subprocess.run(
        [sys.executable, "-c", said], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    where, code = told.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert code == code_version()


def test_everything_asked_for_is_pinned() -> None:
    pinned = {line.partition("==")[0] for line in pins()}
    extras = project()["optional-dependencies"].values()
    asked = [*project()["dependencies"], *(name for extra in extras for name in extra)]
    assert {re.split(r"[<>=[]", name)[0] for name in asked} <= pinned


def test_make_installs_every_extra_or_tests_would_be_skipped() -> None:
    (installed,) = re.findall(r"-e '\.\[(.+)\]'", (ROOT / "Makefile").read_text())
    assert set(installed.split(",")) == {*project()["optional-dependencies"]}


def test_an_environment_is_renewed_when_what_make_installs_changes(tmp_path: Path) -> None:
    """Else one that was made before an extra was added would never get it."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    stamp = tmp_path / ".venv" / ".ready"
    stamp.parent.mkdir()
    stamp.write_text(str(tmp_path.resolve()))
    assert asked_of_make(tmp_path) == 0
    later = stamp.stat().st_mtime + 1
    os.utime(tmp_path / "Makefile", (later, later))
    assert asked_of_make(tmp_path) == 1


def asked_of_make(folder: Path) -> int:
    """0 where the environment there is up to date, 1 where it is to be made."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", "--question", "venv"], cwd=folder, env=env).returncode


def test_pins_are_versions_and_name_no_place() -> None:
    assert [line for line in pins() if not PIN.fullmatch(line)] == []


def project() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]
