"""What is made of a few drawn scenes, and a scan of it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.edits import Props
from benchmarks.provenance import chains, kinds
from benchmarks.provenance.__main__ import main
from benchmarks.provenance.kinds import DECIDABLE, UNDECIDABLE
from benchmarks.provenance.rules import RULES, chosen
from benchmarks.provenance.suite import build, photos_of
from tests.match.scenes import scene

HOSTS = [scene(number, (300, 240)) for number in (90, 91)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(14):
        scene(number, (300, 240)).save(folder / f"{number}.png")
    return folder


@pytest.mark.parametrize("name", [*DECIDABLE, *UNDECIDABLE])
def test_a_kind_gives_the_same_files_each_time(name: str) -> None:
    kind = (DECIDABLE | UNDECIDABLE)[name]
    once, again = (kind(scene(1, (300, 240)), Props(Random(5), HOSTS)) for _ in range(2))
    assert [c.data for c in (*once.roots, *once.copies, *once.decoys)] == [
        c.data for c in (*again.roots, *again.copies, *again.decoys)
    ]
    assert len(once.roots) == (1 if name in DECIDABLE else 2)
    assert 3 <= len(once.roots) + len(once.copies) + len(once.decoys) <= 12


def test_decoys_have_more_pixels_than_the_source() -> None:
    made = kinds.decoys(scene(1, (300, 240)), Props(Random(5), HOSTS))
    source = made.roots[0].picture.image
    assert made.decoys[0].picture.image.width > source.width
    assert len(made.decoys[0].data) > len(made.roots[0].data)


def test_lossless_twins_hold_the_same_pixels() -> None:
    one, other = kinds.lossless(scene(1, (300, 240)), Props(Random(5), HOSTS)).roots
    assert one.data != other.data
    assert np.array_equal(np.asarray(one.picture.image), np.asarray(other.picture.image))


def test_copies_that_lost_nothing_cannot_be_told_from_the_source() -> None:
    props = Props(Random(5), HOSTS)
    for coding, roots in ((chains.png(), 2), (chains.jpeg(90), 1)):
        (source,) = kinds.recompressed(scene(1, (300, 240)), props).roots
        source = chains.stored(source.picture, coding, ())
        mirror = source.picture.turned(2)
        steps = (*source.steps, "mirrored")
        copies = [chains.stored(mirror, to, steps) for to in (chains.png(), chains.jpeg(60))]
        made = kinds.with_equals(kinds.Made([source], copies))
        assert (len(made.roots), len(made.copies)) == (roots, 3 - roots)


def test_copies_of_the_same_bytes_are_left_out() -> None:
    source = kinds._source(scene(1, (300, 240)), Props(Random(0), HOSTS), chains.png())
    again = chains.stored(source.picture, chains.png(), source.steps)
    small = chains.thumbnail(source, Props(Random(1), HOSTS), 100)
    made = kinds.with_equals(kinds.Made([source], [again, small, small]))
    assert (list(made.roots), list(made.copies)) == ([source], [small])


def test_forgeries_name_a_camera_and_the_source_does_not() -> None:
    made = kinds.forged(scene(1, (300, 240)), Props(Random(5), HOSTS))
    assert not made.roots[0].coding.claims
    assert made.copies[-1].coding.claims


def test_peers_rules_choose_by_what_they_say(photos: Path, tmp_path: Path) -> None:
    families = build(photos_of(photos, 0), 2, tmp_path / "files", 0)
    decoyed = next(f for f in families if f.kind == "decoys")
    largest = chosen(RULES["most pixels"], decoyed, tmp_path / "files")
    sizes = {f.name: np.prod(Image.open(tmp_path / "files" / f.name).size) for f in decoyed.members}
    assert sizes[largest] == max(sizes.values())
    first = chosen(RULES["first by name (imagededup)"], decoyed, tmp_path / "files")
    assert first == min(sizes)


def test_families_may_be_of_chosen_kinds_alone(photos: Path, tmp_path: Path) -> None:
    found = photos_of(photos, 0)
    chosen = build(found, 3, tmp_path / "some", 0, kinds=("decoys", "twins"))
    assert [family.kind for family in chosen] == ["decoys", "twins", "decoys"]
    with pytest.raises(SystemExit):
        main([str(photos), "--out", str(tmp_path / "none"), "--kinds", "decoy"])
    assert not (tmp_path / "none").exists()


@pytest.mark.slow(60)
def test_a_small_run_is_scanned_and_measured(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(photos), "--families", "3", "--out", str(tmp_path / "out")])
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["scores"]["ris-jobs"]["decidable"] == 2
    assert found["scores"]["ris-jobs"]["undecidable"] == 1
    assert set(found["kinds"]) == {"copies", "decoys", "twins"}
    assert found["pair_precision"] > 0.9
    assert "| ris-jobs | " in capsys.readouterr().out
