"""The constants of a plan, each with its unit and where it comes from: ``constants.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["Constant", "constant", "constants"]


@dataclass(frozen=True, slots=True)
class Constant:
    """``kind``: measured by a command of this repository, cited, by design, or assumed."""

    name: str
    value: float
    unit: str
    kind: str
    source: str


@cache
def constants() -> Mapping[str, Constant]:
    text = resources.files("ris_jobs.planning").joinpath("constants.json").read_text("utf-8")
    return {
        name: Constant(name, c["value"], c["unit"], c["kind"], c["from"])
        for name, c in json.loads(text).items()
    }


def constant(name: str) -> float:
    return constants()[name].value
