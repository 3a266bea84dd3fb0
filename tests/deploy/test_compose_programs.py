"""docker-compose.yml asks Airflow and ris for nothing that they do not know."""

from __future__ import annotations

import re
from pathlib import Path

from tests.deploy.programs import refused, unknown_options, unknown_settings
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


def test_every_airflow_command_is_taken(empty_airflow: Path) -> None:
    assert len(commands()) == 7
    for command in commands():
        assert refused(command, empty_airflow) == ""
    assert "nonsense" in refused(["airflow", "nonsense"], empty_airflow)


def test_every_command_that_the_files_and_docs_show_is_taken(empty_airflow: Path) -> None:
    text = "".join((ROOT / name).read_text("utf-8") for name in ("deploy/init.sh", "docs/scale.md"))
    shown = re.findall(r"^(?:docker compose exec \S+ )?((?:ris|airflow) [^|\n]+)$", text, re.M)
    assert len(shown) > 4
    for command in shown:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]
        assert refused(words, empty_airflow) == "", command
