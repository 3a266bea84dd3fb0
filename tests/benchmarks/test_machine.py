from __future__ import annotations

import numpy as np

from benchmarks import machine


def test_the_machine_and_versions_are_named() -> None:
    assert machine.machine()["cores"] >= 1 and machine.machine()["cpu"]
    assert machine.versions()["numpy"] == np.__version__


def test_both_make_one_line() -> None:
    line = machine.where({"cpu": "Z80", "cores": 1, "memory_gib": 0.1}, {"python": "3", "a": "1"})
    assert line == "Z80, 1 cores, 0.1 GiB; python 3, a 1"
