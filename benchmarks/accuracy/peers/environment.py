"""Runs peers that need an environment of their own: one process a system, files in and out."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.peers import NotRun

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[2]
_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer says of the files with `ok`, bool (files,).

    `codes` are uint8 (n, bytes) of packed bits, or float32 (n, d) with unit rows, one for each
    of those files; `seconds` is wall-clock time, decoding included.
    """

    codes: npt.NDArray[Any]
    ok: npt.NDArray[np.bool_]
    version: str
    seconds: float
    threads: int


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment that ``make peers`` fills with the pins of `requirements`."""

    folder: Path
    requirements: Path

    def pinned(self, package: str) -> str:
        """The version of that package that the requirements ask for."""
        pins: dict[str, str] = dict(
            re.findall(r"^(\S+)==(\S+)", self.requirements.read_text("utf-8"), re.M)
        )
        return pins[package]

    def run(self, name: str, paths: Sequence[Path], weights: Path | None = None) -> Answer:
        """Describes the files with the peer of that name in `worker.py`.

        Raises :class:`NotRun` when the environment is missing, or the peer fails, or takes
        more than an hour.
        """
        python = self.folder / "bin" / "python"
        if not python.is_file():
            raise NotRun(f"{self.folder.name} is missing: make peers")
        with TemporaryDirectory() as folder:
            files, out = Path(folder, "files.json"), Path(folder, "out.npz")
            files.write_text(json.dumps([str(path.absolute()) for path in paths]), "utf-8")
            options = [] if weights is None else ["--weights", str(weights.absolute())]
            worker = [str(python), "-I", str(_HERE / "worker.py"), *options]
            _succeed(name, [*worker, "--", name, str(files), str(out)])
            return _read(out)


PEERS = Environment(_ROOT / ".venv-peers", _HERE / "requirements.txt")
FASTDUP = Environment(_ROOT / ".venv-peers-fastdup", _HERE / "requirements-fastdup.txt")


def _succeed(name: str, command: list[str]) -> None:
    on_cpu = os.environ | {"CUDA_VISIBLE_DEVICES": ""}  # where the others run too
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S, env=on_cpu)
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"{name} did not end within {_TIMEOUT_S:.0f} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise NotRun(f"{name} failed with status {error.returncode}: {said[-1]}") from error


def _read(path: Path) -> Answer:
    with np.load(path) as stored:
        return Answer(
            codes=stored["codes"],
            ok=stored["ok"],
            version=str(stored["version"]),
            seconds=float(stored["seconds"]),
            threads=int(stored["threads"]),
        )
