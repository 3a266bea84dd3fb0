"""The Helm values name what is there, and fit the plan.

The charts themselves are not at hand; airflow-chart.json has what is used of Airflow's.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ris_jobs import __version__
from ris_jobs.planning import Ask, plan
from ris_jobs.settings import Settings
from tests.deploy.programs import is_there, unknown_options, unknown_settings
from tests.deploy.test_compose import SERVICES

HELM = Path(__file__).resolve().parents[2] / "deploy" / "helm"
AIRFLOW: dict[str, Any] = yaml.safe_load((HELM / "airflow-values.yaml").read_text("utf-8"))
MILVUS: dict[str, Any] = yaml.safe_load((HELM / "milvus-values.yaml").read_text("utf-8"))
CHART = json.loads(Path(__file__).with_name("airflow-chart.json").read_text("utf-8"))
VARIABLES = {e["name"] for e in AIRFLOW["env"]} | {s["envName"] for s in AIRFLOW["secret"]}


def test_the_chart_knows_every_key() -> None:
    known = jsonschema.Draft202012Validator(CHART)
    known.validate(AIRFLOW)
    assert not known.is_valid(AIRFLOW | {"apiServers": {}})
    assert "--version 1.22.0" in (HELM / "airflow-values.yaml").read_text("utf-8")


def test_nothing_is_asked_for_that_the_image_lacks(tmp_path: Path) -> None:
    """The chart's own defaults want Flask AppBuilder, a statsd client, and one groomer of logs a
    program."""
    assert is_there(AIRFLOW["config"]["core"]["auth_manager"], tmp_path)
    assert not AIRFLOW["createUserJob"]["enabled"]
    assert not AIRFLOW["webserver"]["defaultUser"]["enabled"]
    assert not AIRFLOW["statsd"]["enabled"]
    assert AIRFLOW["logs"]["persistence"]["enabled"]
    programs = ("scheduler", "triggerer", "dagProcessor")
    groomed = [p for p in programs if AIRFLOW[p]["logGroomerSidecar"]["enabled"]]
    assert groomed == ["scheduler"]


def test_variables_are_settings_and_options(empty_airflow: Path) -> None:
    assert unknown_settings(VARIABLES) == set()
    config = {
        f"AIRFLOW__{section}__{option}".upper()
        for section, options in AIRFLOW["config"].items()
        for option in options
    }
    assert len(config) > 4
    assert unknown_options(VARIABLES | config, empty_airflow) == set()


def test_the_image_has_what_the_migration_runs() -> None:
    _, _, command = AIRFLOW["migrateDatabaseJob"]["args"]
    (script,) = re.findall(r"/opt/deploy/(\S+)", command)
    assert (HELM.parent / script).is_file()


def test_what_a_task_leaves_for_another_outlives_its_pod() -> None:
    """Every field of the settings that is a URL names a server, and the home is a volume."""
    urls = {f"RIS_{f.name.upper()}" for f in fields(Settings) if f.name.endswith(("_url", "_uri"))}
    assert urls >= {"RIS_FETCHED_URL", "RIS_PREVIEWS_URL"} and urls <= VARIABLES
    env = {e["name"]: e["value"] for e in AIRFLOW["env"]}
    (claim,) = (v["name"] for v in AIRFLOW["volumes"] if "persistentVolumeClaim" in v)
    assert {"name": claim, "mountPath": env["RIS_HOME"]} in AIRFLOW["volumeMounts"]


def test_every_key_of_the_secret_is_made() -> None:
    text = (HELM / "airflow-values.yaml").read_text("utf-8")
    made = set(re.findall(r"--from-literal=([\w-]+)=", text))
    read = {s["secretKey"] for s in AIRFLOW["secret"]} | set(re.findall(r"# key: ([\w-]+)", text))
    assert made == read


def test_versions_are_those_of_the_compose_file() -> None:
    image = MILVUS["image"]["all"]
    assert SERVICES["milvus"]["image"] == f"{image['repository']}:{image['tag']}"
    assert AIRFLOW["images"]["airflow"]["tag"] == f"{__version__}-cpu"


def test_nodes_are_those_of_the_plan() -> None:
    made = plan(Ask(images=100_000_000, per_night=2_000_000, index="HNSW_SQ"))
    assert MILVUS["queryNode"]["replicas"] == made["query nodes"]
    env = {e["name"]: e["value"] for e in AIRFLOW["env"]}
    assert int(env["RIS_SCAN_TASKS"]) == made["job nodes"]
    assert "authorizationEnabled: true" in MILVUS["extraConfigFiles"]["user.yaml"]
