"""The models there are. Each is a JSON file in ``models/``: another version is another file.

Fields of the file are those of :class:`ModelSpec`; the file's stem is the name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ris_jobs.errors import ConfigError
from ris_jobs.fingerprint.regions import WHOLE_ONLY, Regions

if TYPE_CHECKING:
    import torch

MODELS = Path(__file__).parent / "models"

Network = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""(n, 3, s, s) uint8 → (n, dim) float32 with unit rows."""

Opener = Callable[["ModelSpec", bytes, "torch.device"], Network]
"""Builds the network from the verified bytes of the weights file, on a device."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model, pinned. `version` changes whenever its vectors do.

    `kind` names what builds the network: copynet, resnet50, sscd, or one given to
    :func:`register`. `mean` and `std` are per channel, of values in 0..1. `bf16` says that its
    vectors computed in bfloat16 were measured to keep a cosine above 0.999 to float32.
    `network` holds what the kind needs to know beside the weights. `regions` says which parts of
    a picture the model was measured with, beside the whole.
    """

    name: str
    version: str
    kind: str
    file: str
    sha256: str
    url: str | None
    input_size: int
    dim: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bf16: bool = False
    network: Mapping[str, Any] = field(default_factory=dict, hash=False)
    regions: Regions = WHOLE_ONLY

    @property
    def id(self) -> str:
        """``name-version``, such as ``builtin-1``."""
        return f"{self.name}-{self.version}"


_ADDED: dict[str, ModelSpec] = {}
_OPENERS: dict[str, Opener] = {}
_KINDS = {"copynet": "builtin", "resnet50": "resnet50", "sscd": "sscd"}


def registered() -> dict[str, ModelSpec]:
    """Every model by name."""
    return {**_shipped(), **_ADDED}


def register(spec: ModelSpec, opener: Opener) -> None:
    """Adds a model of a new kind, or replaces the one of that name."""
    _ADDED[spec.name] = spec
    _OPENERS[spec.kind] = opener


def spec(name: str) -> ModelSpec:
    """The model of that name; raises ``ConfigError`` that lists the names when there is none."""
    models = registered()
    if name not in models:
        known = ", ".join(sorted(models))
        raise ConfigError("RIS_MODEL", f"must be one of {known}, not {name!r}")
    return models[name]


def opener(spec: ModelSpec) -> Opener:
    """What builds the network; imports torch for the kinds that ship here."""
    if spec.kind in _OPENERS:
        return _OPENERS[spec.kind]
    module = import_module(f"ris_jobs.fingerprint.descriptor.{_KINDS[spec.kind]}")
    build: Opener = module.build
    return build


def read_spec(path: Path) -> ModelSpec:
    fields: dict[str, Any] = json.loads(path.read_text("utf-8"))
    fields["mean"], fields["std"] = tuple(fields["mean"]), tuple(fields["std"])
    fields["regions"] = Regions(**fields.get("regions", {}))
    return ModelSpec(name=path.stem, **fields)


@cache
def _shipped() -> dict[str, ModelSpec]:
    return {path.stem: read_spec(path) for path in sorted(MODELS.glob("*.json"))}
