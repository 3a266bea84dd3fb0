"""Where figures were measured: the machine, and the libraries that they depend on."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any


def machine(gpu: str | None = None) -> dict[str, Any]:
    """CPU model, cores and memory in GiB of this (POSIX) machine, and the GPU that is used."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    own = {"cpu": _cpu(), "cores": os.cpu_count(), "memory_gib": round(memory, 1)}
    return own | ({"gpu": gpu} if gpu else {})


def _cpu() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


_LIBRARIES = (
    "ris-jobs", "numpy", "torch", "torchvision", "opencv-python-headless", "pillow", "imagehash",
)  # fmt: skip


def versions(*libraries: str) -> dict[str, str]:
    """Python, and the libraries that figures depend on: those named, or those of most."""
    found = {name: metadata.version(name) for name in libraries or _LIBRARIES}
    return {"python": platform.python_version()} | found


def where(machine: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Both in one line."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    gpu = f", {machine['gpu']}" if "gpu" in machine else ""
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB{gpu}; {named}"


def peak_mib() -> float:
    """The most memory, in MiB, that was resident in this process until now (Linux). Not
    getrusage's: that one begins with the memory of the parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
