"""docker-compose.yml asks Airflow and ris for nothing that they do not know."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.deploy.programs import (
    executor_that_loads,
    refused_by_airflow,
    refused_by_ris,
    unknown_options,
    unknown_settings,
)
from tests.deploy.test_compose import EXAMPLE, ROOT, SERVICES

VARIABLES = {name for service in SERVICES.values() for name in service.get("environment", {})}


def commands() -> list[list[str]]:
    """What services and their health checks run of Airflow."""
    run = [service.get("command", []) for service in SERVICES.values()]
    checks = [service["healthcheck"]["test"][1:] for service in SERVICES.values() if
              "healthcheck" in service]  # fmt: skip
    return [command for command in (*run, *checks) if command and command[0] == "airflow"]


def test_every_ris_variable_is_a_setting() -> None:
    ours = {name for name in VARIABLES if name.startswith("RIS_")} - {"RIS_DATABASE_PASSWORD"}
    assert ours and unknown_settings(ours) == set()
    shown = set(re.findall(r"^#   (RIS_\w+)=", EXAMPLE, re.MULTILINE))
    assert shown and unknown_settings(shown) == set()


def test_every_airflow_variable_is_an_option(empty_airflow: Path) -> None:
    assert unknown_options(VARIABLES, empty_airflow) == set()
    assert unknown_options({"AIRFLOW__CORE__NONSENSE"}, empty_airflow)


def shown() -> list[list[str]]:
    """The commands of the scripts and of docs/scale.md."""
    text = "".join((ROOT / name).read_text("utf-8") for name in ("deploy/init.sh", "docs/scale.md"))
    lines = re.findall(
        r"^(?:docker compose (?:exec|run --rm --no-deps) \S+ )?((?:ris|airflow) [^|\n]+)$",
        text,
        re.M,
    )
    return [shlex.split(line) for line in lines]


def test_what_is_restored_is_checked_before_a_night_can_begin() -> None:
    """By services that there are."""
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    (lines,) = re.findall(r"^docker compose stop\n(.+?)\n```", page, re.M | re.S)
    *_, milvus, check, everything = lines.splitlines()
    assert (milvus, everything) == ("docker compose up -d --wait milvus", "docker compose up -d")
    assert check == "docker compose run --rm --no-deps airflow-worker ris index check"
    assert ["ris", "index", "check"] in shown()
    assert {"milvus", "airflow-worker"} <= SERVICES.keys()


def test_the_executors_load_with_what_is_pinned(empty_airflow: Path) -> None:
    named = SERVICES["airflow-scheduler"]["environment"]["AIRFLOW__CORE__EXECUTOR"]
    assert named == "CeleryExecutor"
    for name in (named, "KubernetesExecutor"):
        assert executor_that_loads(name, empty_airflow) == name


def test_every_airflow_command_is_taken(empty_airflow: Path) -> None:
    theirs = [command for command in shown() if command[0] == "airflow"]
    assert (len(commands()), len(theirs)) == (7, 3)
    said = refused_by_airflow([*commands(), *theirs, ["airflow", "nonsense"]], empty_airflow)
    assert said[:-1] == [""] * 10
    assert "nonsense" in said[-1]


def test_every_ris_command_is_taken() -> None:
    ours = [command for command in shown() if command[0] == "ris"]
    assert len(ours) > 4
    assert [said for command in ours if (said := refused_by_ris(command))] == []
    assert refused_by_ris(["ris", "index", "nonsense"]) == "ris has no command nonsense"
    assert "--image" in refused_by_ris(["ris", "plan", "--image", "1"])


def test_every_airflow_command_for_operators_is_taken(tmp_path: Path) -> None:
    """Those of docs/operations.md, which `ris airflow` hands on; some are said in passing."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    listed = re.findall(r"^ris airflow (.+?)(?: {3,}.*)?$", page, re.M)
    named = re.findall(r"`ris airflow ((?:\w+ ){2,}[^`]*|\w+ list)`", page)
    told = [["airflow", *shlex.split(line)] for line in (*listed, *named, "dags nonsense")]
    said = refused_by_airflow(told, tmp_path)
    assert len(listed) == 6 and len(named) > 2
    assert set(said[:-1]) == {""}
    assert "nonsense" in said[-1]
