"""A tiny run. Compiling takes half a minute, so here it fails, as it does without a compiler."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from benchmarks.speed import measure
from benchmarks.speed.__main__ import main
from benchmarks.speed.measure import COMPILED, RESNET50, Figure


def uncompilable(module: object) -> measure.Work:
    def fail(*batch: object) -> object:
        raise RuntimeError("no C++ compiler\nlong story")

    return fail


def test_one_run_measures_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.compile", uncompilable)
    file = tmp_path / "speed.json"
    main(["--images", "2", "--rounds", "1", "--json", str(file)])
    report, printed = json.loads(file.read_text("utf-8")), capsys.readouterr().out
    assert (
        len(report["vectors_s"]) == 5 and report["vectors_s"].keys() == report["warm_up_s"].keys()
    )
    assert report["times_resnet50"][RESNET50] == {"median": 1, "low": 1, "high": 1}
    assert report["not_compiled"] == "no C++ compiler"
    assert f"- not run: {COMPILED}, no C++ compiler\n" in printed
    assert all(f"\n| {name} | " in printed for name in report["vectors_s"] | report["stages_ms"])
    assert len(report["stages_ms"]) == 3 and report["load_s"]["low"] > 0
    assert 0 < report["torch_mib"] < report["peak_mib"] and 0 < report["weights_mb"] < 12


def test_works_take_turns() -> None:
    calls: list[str] = []
    works = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = measure.rounds(works, 3)
    assert calls == ["a", "b"] * 3
    assert {name: took.shape for name, took in seconds.items()} == {"a": (3,), "b": (3,)}


def test_a_work_takes_as_long_as_it_takes() -> None:
    works = {"short": lambda: None, "long": lambda: time.sleep(0.05)}
    seconds = measure.rounds(works, 2)
    assert (seconds["long"] >= 0.05).all() and (seconds["short"] < 0.05).all()


def test_only_the_compiler_may_fail() -> None:
    with pytest.raises(RuntimeError, match="no C"):
        measure.warmed({RESNET50: uncompilable(None)})


def test_a_figure_is_of_all_rounds() -> None:
    assert Figure.of([3, 1, 7, 2]) == Figure(2.5, 1, 7)
