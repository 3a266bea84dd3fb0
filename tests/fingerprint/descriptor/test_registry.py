"""Models are data: what a JSON file says is what is loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ris_jobs.errors import ConfigError
from ris_jobs.fingerprint.descriptor import ModelSpec, load, register, registered, registry, spec


def test_three_models_ship() -> None:
    assert set(registered()) >= {"builtin", "resnet50", "sscd"}


@pytest.mark.parametrize("name", ["builtin", "resnet50", "sscd"])
def test_every_model_is_pinned(name: str) -> None:
    found = spec(name)
    assert re.fullmatch("[0-9a-f]{64}", found.sha256)
    assert found.id == f"{name}-{found.version}"
    assert found.url is None or found.url.startswith("https://")


def test_dimensions() -> None:
    assert {n: spec(n).dim for n in ("builtin", "resnet50", "sscd")} == {
        "builtin": 256,
        "resnet50": 2048,
        "sscd": 512,
    }


def test_torchvision_names_the_file_by_its_hash() -> None:
    assert spec("resnet50").file == f"resnet50-{spec('resnet50').sha256[:8]}.pth"


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"builtin, resnet50, sscd.*'clip'"):
        spec("clip")


def test_another_version_is_another_file(
    tiny: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in model is replaced by its JSON and its weights, without a line of code."""
    fields = {
        "version": "9",
        "kind": "copynet",
        "file": tiny.file,
        "sha256": tiny.sha256,
        "url": None,
        "input_size": 64,
        "dim": 24,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.2, 0.2, 0.2],
        "network": dict(tiny.network),
    }
    (tmp_path / "builtin.json").write_text(json.dumps(fields))
    found = registry.read_spec(tmp_path / "builtin.json")
    monkeypatch.setattr(registry, "_ADDED", {"builtin": found})
    model = load("builtin", tmp_path)
    assert model.spec.id == "builtin-9"
    assert model.embed(np.zeros((2, 3, 64, 64), np.uint8)).shape == (2, 24)


def test_a_registered_model_is_loaded_from_verified_bytes(
    tiny: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_ADDED", {})
    monkeypatch.setattr(registry, "_OPENERS", {})
    given: list[bytes] = []

    def opener(spec: ModelSpec, content: bytes, device: torch.device) -> registry.Network:
        given.append(content)
        return lambda batch: np.ones((len(batch), spec.dim), np.float32) / np.sqrt(spec.dim)

    register(ModelSpec(**{**_fields(tiny), "name": "mine", "kind": "mine"}), opener)
    model = load("mine", tmp_path)
    assert given == [(tmp_path / tiny.file).read_bytes()]
    assert model.embed(np.zeros((3, 3, 64, 64), np.uint8)).shape == (3, 24)


def _fields(spec: ModelSpec) -> dict[str, object]:
    return {name: getattr(spec, name) for name in ModelSpec.__dataclass_fields__}
