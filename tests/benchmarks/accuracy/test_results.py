"""A suite of nine files whose figures are counted by hand, and a small run of the command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy import results
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.edits import VARIANTS
from benchmarks.accuracy.metrics import Scores
from benchmarks.accuracy.plot import plot
from benchmarks.accuracy.results import Report, Result
from benchmarks.accuracy.suite import Row
from benchmarks.accuracy.systems import Described
from tests.match.scenes import scene

COLLAGE = 7

ROWS = [
    Row("0.jpg", "source"),
    Row("1.jpg", "source"),
    Row("2.jpg", "distractor"),
    Row("3.jpg", "negative"),
    Row("4.jpg", "negative"),
    Row("5.jpg", "copy", source=0, edit="crop_10", family="crop", strength=0.1, trained=True),
    Row("6.jpg", "copy", source=1, edit="crop_50", family="crop", strength=0.5, trained=True),
    Row("7.jpg", "copy", source=0, edit="collage_2x2", family="collage", strength=4),
    Row("8.jpg", "distractor_copy", edit="crop_50", family="crop", strength=0.5, trained=True),
]


def near(**pairs: float) -> Scores:
    """Similarities of 0.1 but for the pairs named, as ``s05``: rows 0 and 5."""
    similarity = np.full((9, 9), 0.1, np.float32)
    np.fill_diagonal(similarity, 1)
    for name, score in pairs.items():
        a, b = int(name[1]), int(name[2])
        similarity[a, b] = similarity[b, a] = score
    return similarity


def described(system: str = "thing") -> Described:
    """The collage could not be read."""
    owner = np.delete(np.arange(9), COLLAGE)
    return Described(system, "1", np.ones((8, 4), np.float32), owner, 9, seconds=3.0, threads=2)


@pytest.fixture(scope="module")
def found() -> Result:
    """In order: copy 5; the negatives, each asking for the other; the stranger; copy 6."""
    similarity = near(s05=0.9, s34=0.8, s28=0.7, s16=0.6)
    similarity[COLLAGE, :] = similarity[:, COLLAGE] = -np.inf
    return results.evaluate(ROWS, described(), similarity)


@pytest.fixture(scope="module")
def report(found: Result) -> Report:
    suite = {"seed": 0, "photos": 3, "files": 9}
    return Report({"cpu": "one"}, {"python": "3"}, suite, (found,), {"other": "weights absent"})


def test_the_descriptor_track_counts_strangers_negatives_and_unread_files(found: Result) -> None:
    measures = found.overall.measures
    assert measures["uap"].value == pytest.approx((1 / 1 + 2 / 5 + 0) / 3)
    assert measures["recall_p90"].value == pytest.approx(1 / 3)
    assert measures["recall_1"].value == pytest.approx(2 / 3)
    assert found.thresholds == {"recall_p90": pytest.approx(0.9), "recall_p99": pytest.approx(0.9)}


def test_a_negative_does_not_find_itself(found: Result) -> None:
    """The diagonal holds 1, which would come before every copy."""
    assert found.overall.measures["recall_p99"].value > 0


def test_trained_and_untrained_edits_are_told_apart(found: Result) -> None:
    assert found.trained is not None and found.untrained is not None
    assert (found.overall.copies, found.trained.copies, found.untrained.copies) == (3, 2, 1)
    assert found.trained.measures["uap"].value == pytest.approx((1 / 1 + 2 / 5) / 2)
    assert found.untrained.measures["uap"].value == 0


def test_variants_are_held_to_the_threshold_of_all(found: Result) -> None:
    recall = {group.name: group.measures["recall_p90"] for group in found.variants}
    assert recall == {"crop_50": 0, "crop_10": 1, "collage_2x2": 0}
    crop = found.families[0]
    assert (crop.name, crop.copies, crop.strength, crop.trained) == ("crop", 2, None, True)
    assert crop.measures["recall_p90"] == 0.5
    assert crop.measures["recall_1"] == crop.measures["candidates_1"] == 1


def test_candidates_are_sought_in_the_whole_collection() -> None:
    """Two copies of one photo are nearer to each other than to it, which is nearest to one."""
    similarity = near(s57=0.9, s05=0.8, s07=0.7, s16=0.6)
    measures = results.evaluate(ROWS, described(), similarity).overall.measures
    assert measures["recall_1"].value == 1
    assert measures["candidates_1"].value == pytest.approx(2 / 3)  # 5 from its source's side
    assert measures["candidates_10"].value == 1


def test_intervals_hold_their_figure_and_repeat(found: Result) -> None:
    for figure in found.overall.measures.values():
        assert 0 <= figure.low <= figure.value <= figure.high <= 1
    assert found.overall.measures["uap"].low < found.overall.measures["uap"].high


def test_a_report_is_read_back_as_it_was(report: Report, found: Result) -> None:
    lost = replace(found, thresholds={"recall_p90": None}, untrained=None)
    report = replace(report, results=(found, lost))
    assert results.from_json(results.to_json(report)) == report


def test_the_table_ranks_systems_and_says_what_did_not_run(report: Report, found: Result) -> None:
    better = results.evaluate(ROWS, described("better"), near(s05=1, s16=1, s07=1))
    lines = results.table(replace(report, results=(found, better))).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| better", "| thing"]
    assert lines[2].startswith("| better | 1.000 (1.000–1.000) |")
    assert lines[3].endswith("| 1.0 | 3.0 |")
    assert lines[-1] == "- not run: other, weights absent"


def test_the_table_of_edits_has_a_row_for_each(found: Result) -> None:
    lines = results.per_edit_table(found).splitlines()
    assert lines[2].startswith("| crop_50 | yes | 1 | 0.000 |")
    assert lines[4].startswith("| collage_2x2 | never | 1 | 0.000 |")


def test_the_machine_and_versions_are_named() -> None:
    assert results.machine()["cores"] >= 1 and results.machine()["cpu"]
    assert results.versions()["numpy"] == np.__version__


def test_the_plot_is_a_picture(report: Report, tmp_path: Path) -> None:
    plot(report, tmp_path / "recall.png")
    with Image.open(tmp_path / "recall.png") as picture:
        assert picture.format == "PNG" and picture.width > 1000


# The command


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
    assert results.table(report) in printed and "| crop_50 |" in printed
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
        ([], "name a folder of photos"),
        (["nowhere"], "nowhere is no folder"),
        ([".", "--systems", "magic"], "knows no magic; there are builtin"),
        ([".", "--per-variant", "0"], "must be 1 or more"),
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
