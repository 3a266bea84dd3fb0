"""docker-compose.yml, as far as it can be checked without a container engine.

compose-spec.json is the schema of the Compose specification, by its authors, under the licence
beside it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy.programs import unknown_settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text("utf-8"))
# What says how, and is no secret.
DEFAULTS = {"DEVICE": "cpu", "TASKS_PER_WORKER": "2", "RIS_INDEX": "", "RIS_SCAN_TASKS": "1"}
ONCE = {"postgres-init", "airflow-init"}


def test_it_follows_the_compose_specification() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_the_gpus_are_given_to_what_computes_descriptors() -> None:
    added = yaml.safe_load((ROOT / "docker-compose.cuda.yml").read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(added)
    # airflow-init asks `ris doctor`, which fails where the device that is set is not there.
    assert set(added["services"]) == {"airflow-init", "airflow-worker"}
    for name, service in added["services"].items():
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
        assert service["environment"] == {"RIS_DEVICE": "cuda"}
        assert service["build"]["args"] == {"DEVICE": "cuda"}
        assert service["image"] == SERVICES[name]["image"].replace("${DEVICE:-cpu}", "cuda")


def test_the_specification_would_find_a_mistake() -> None:
    wrong = {"services": {"x": {"image": "y:1", "healthchecks": {}}}}
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)


def test_every_variable_is_in_the_example_without_a_value() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    offered = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, flags=re.MULTILINE))
    named = set(re.findall(r"^(?:# )?(\w+)=", EXAMPLE, flags=re.MULTILINE))
    assert used == named
    assert set(offered) == used - DEFAULTS.keys()
    assert set(offered.values()) == {""}, "an example password becomes a default password"


def test_any_setting_or_connection_reaches_airflow_by_a_file_that_is_not_committed() -> None:
    for name in ("airflow-worker", "airflow-scheduler", "airflow-init"):
        assert SERVICES[name]["env_file"] == [{"path": ".env.jobs", "required": False}]
    assert "/.env.jobs" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    offered = set(re.findall(r"^#   (\w+)=", EXAMPLE, flags=re.MULTILINE))
    assert {"RIS_CONTACT", "AIRFLOW_CONN_RIS_WEBHOOK"} <= offered
    assert unknown_settings(offered) == set()
    # What the servers' own lines say is not to be said twice.
    assert not (offered - {"RIS_DATABASE_URL", "RIS_MILVUS_URI", "RIS_MILVUS_TOKEN"}) & set(
        SERVICES["airflow-worker"]["environment"]
    )


def test_every_secret_is_required() -> None:
    optional = dict(re.findall(r"(?<!\$)\$\{(\w+)(?!\w|:\?)(?::-(\w*))?\}", TEXT))
    assert optional == DEFAULTS
    required = set(re.findall(r"(?<!\$)\$\{(\w+):\?", TEXT))
    assert not required & DEFAULTS.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_no_password_is_written_down(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    secret = re.compile(r"PASSWORD$|_KEY$|SECRET|TOKEN|AUTH$")
    for variable, value in environment.items():
        if secret.search(variable):
            assert "${" in value, variable
        # user:password@host
        assert not re.search(r"//[^/$]*:[^/@$]+@", str(value)), variable


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_healthy_and_private(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\S*\d", service["image"]), "an image without a version changes by itself"
    if name in ONCE:
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
    assert not service.get("privileged") and "network_mode" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    for volume in service["volumes"]:
        source = volume.partition(":")[0]
        if source.startswith("./"):
            assert (ROOT / source).exists()
        else:
            assert source in COMPOSE["volumes"] or source.startswith("${IMAGES")
    for needed, how in service.get("depends_on", {}).items():
        done = "service_completed_successfully" if needed in ONCE else "service_healthy"
        assert needed in SERVICES
        assert how == {"condition": done}


def test_old_logs_of_airflow_are_removed() -> None:
    cleaner = SERVICES["airflow-logs-cleaner"]
    logs = "airflow-logs:/opt/airflow/logs"
    assert cleaner["command"] == ["sh", "/clean-logs"]
    # It needs no password of a server, and no picture.
    assert (cleaner["volumes"], cleaner["environment"]) == ([logs], {})
    assert logs in SERVICES["airflow-worker"]["volumes"]
    assert "COPY deploy/clean-logs.sh /clean-logs" in (ROOT / "Dockerfile").read_text("utf-8")


def test_every_volume_is_used() -> None:
    used = {v.partition(":")[0] for service in SERVICES.values() for v in service["volumes"]}
    assert set(COMPOSE["volumes"]) <= used


def test_the_image_is_that_of_this_version() -> None:
    from ris_jobs import __version__

    ours = {service["image"] for service in SERVICES.values() if "build" in service}
    assert ours == {f"ris-jobs:{__version__}-${{DEVICE:-cpu}}"}
