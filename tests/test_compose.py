"""docker-compose.yml, as far as it can be checked without a container engine."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from ris_jobs.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]


def test_every_variable_is_in_the_example_without_a_value() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    offered = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, flags=re.MULTILINE))
    assert set(offered) == used
    assert set(offered.values()) == {""}, "an example password becomes a default password"


def test_every_variable_is_required() -> None:
    assert re.findall(r"\$\{\w+(?!:\?)[^\w]", TEXT) == []


def test_the_example_names_only_real_settings() -> None:
    known = {f"RIS_{field.name.upper()}" for field in fields(Settings)}
    named = set(re.findall(r"RIS_\w+", EXAMPLE))
    assert named
    assert named <= known


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_healthy_and_private(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\S*\d", service["image"]), "an image without a version changes by itself"
    assert service["healthcheck"]["test"]
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")
    for volume in service["volumes"]:
        assert volume.partition(":")[0] in COMPOSE["volumes"]
    for needed, how in service.get("depends_on", {}).items():
        assert needed in SERVICES
        assert how == {"condition": "service_healthy"}
