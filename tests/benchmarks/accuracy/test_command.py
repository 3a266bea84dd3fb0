from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.accuracy import results, tables
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.edits import VARIANTS
from tests.match.scenes import scene


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Its arguments; it ran once."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "photos").mkdir()
    for number in range(12):
        scene(number, (200, 150)).save(folder / "photos" / f"{number}.jpg")
    (folder / "none").mkdir()
    args = [str(folder / "photos"), "--out", str(folder / "out"), "--per-variant", "1"]
    args += ["--systems", "pdq,imagehash-phash,sscd", "--weights", str(folder / "none")]
    main(args)
    return args


def test_one_command_writes_report_and_plot(
    run: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(run[2])
    report = results.from_json((out / "results.json").read_text("utf-8"))
    assert {found.system for found in report.results} == {"pdq", "imagehash-phash"}
    assert "sscd" in report.absent
    assert {group.name for group in report.results[0].variants} == {v.name for v in VARIANTS}
    (out / "recall.png").unlink()
    main(["--from", str(out / "results.json"), "--edits", "pdq"])
    printed = capsys.readouterr().out
    assert tables.table(report) in printed and "| crop_50 |" in printed
    assert (out / "recall.png").exists()


def test_a_second_run_describes_nothing_again(run: list[str]) -> None:
    out = Path(run[2])
    before = results.from_json((out / "results.json").read_text("utf-8"))
    for picture in (out / "suite" / "images").iterdir():
        picture.unlink()
    main(run)
    assert results.from_json((out / "results.json").read_text("utf-8")) == before


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ([".", "--from", "report.json"], "not both"),
        (["nowhere"], "nowhere is no folder"),
        ([".", "--systems", "magic"], "knows no magic; there are builtin"),
        ([".", "--per-variant", "0"], "must be 1 or more"),
        ([".", "--regions", "5+0,some"], "must be like 0+0,5+10"),
        ([".", "--regions", "6+0"], "must be like 0+0,5+10"),
        (["--from", "nowhere.json"], "is no report of this bench"),
    ],
)
def test_a_wrong_call_says_why(
    args: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
