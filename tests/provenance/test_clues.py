"""Each clue, and that it is the same with the other sign seen from the other side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ris_jobs.fingerprint import Manifest, Traces
from ris_jobs.fingerprint.requantised import QUALITIES
from ris_jobs.match.containment import Surround
from ris_jobs.match.remade import Remade, Rounding
from ris_jobs.provenance import ImageFacts, Pair
from ris_jobs.provenance.clues import CLUES, Kin
from ris_jobs.provenance.encodings import Seen, encoding
from ris_jobs.provenance.families import resolve
from ris_jobs.provenance.model import model
from ris_jobs.provenance.words import against, favour
from tests.provenance.kin import derives, facts, image, tied
from tests.provenance.test_families import KNOWN, PAIRS


def clues(pairs: list[Pair], known: dict[int, ImageFacts]) -> Mapping[str, float]:
    """Of image 2 from image 1."""
    return Kin(pairs, known).clues(2, 1)


def remembering(quality: int, value: float) -> tuple[float, ...]:
    return tuple(value if q == quality else 0.0 for q in QUALITIES)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [("containment", "containment"), ("border", "border"), ("resolution", "resolution"),
     ("enlargement", "enlargement"), ("colour", "grey"), ("detail", "faded")],
)  # fmt: skip
def test_what_a_copy_lost_or_was_given_is_a_clue(claim: str, kind: str) -> None:
    assert clues([derives(2, 1, claim)], facts(500, 400)) == {kind: 1}
    assert clues([derives(1, 2, claim)], facts(500, 400)) == {kind: -1}


def test_the_pixels_of_an_enlargement_are_not_its_own() -> None:
    pairs = [derives(3, 1, "enlargement"), derives(2, 3, "resolution"), tied(1, 2)]
    assert clues(pairs, facts(300, 300, 900)) == {}
    assert Kin(pairs, facts(300, 300, 900)).clues(2, 3) == {}


def test_a_part_in_more_detail_than_its_whole_says_nothing() -> None:
    part = derives(2, 1, "containment", scale=2.0)
    assert clues([part], facts(200, 300)) == {}
    assert clues([derives(2, 1, "containment", scale=1.0)], facts(200, 100)) == {"containment": 1}


BAND, GROUND = Surround(0.7, 0.0, 0.0, 0.0, 1.0), Surround(0.7, 30.0, 20.0, 0.5, 0.9)


def test_what_lies_in_a_plain_ground_was_given_it_unless_that_goes_on() -> None:
    known = facts(500, 300)
    assert clues([tied(2, 1, inner="derived", around=BAND)], known) == {"framed": -1}
    assert clues([tied(2, 1, inner="derived", around=GROUND)], known) == {"inner": 1}
    assert clues([tied(2, 1, inner="derived", around=replace(GROUND, seam=1.0))], known) == {}
    stepping = replace(GROUND, plain=1.0, seam=2.0)
    assert clues([tied(1, 2, inner="derived", around=stepping)], known) == {"framed": 1}
    assert clues([tied(1, 2, inner="derived", around=replace(BAND, plain=0.5))], known) == {
        "inner": -1
    }


def test_what_lies_unevenly_in_a_plain_ground_was_cut_out_of_it_unless_that_is_drawn() -> None:
    uneven, banded = (0.1, 0.0, 0.7, 1.0), (0.0, 0.2, 1.0, 1.0)
    grainy, known = replace(BAND, rim=1.0), facts(500, 300)
    for box, around, told in (
        (uneven, grainy, {"inner": 1}),
        (uneven, BAND, {}),
        (banded, BAND, {"framed": -1}),
        (banded, replace(grainy, plain=1.0), {"inner": 1}),
        (banded, replace(BAND, plain=1.0), {}),
    ):
        assert clues([tied(2, 1, inner="derived", around=around, box=box)], known) == told


def test_a_border_that_lies_unevenly_says_less() -> None:
    bordered = derives(2, 1, "border", relation="padded", inner="source", around=BAND)
    known = facts(500, 700)
    assert clues([replace(bordered, box=(0.1, 0.1, 0.9, 0.9))], known) == {"border": 1}
    assert clues([replace(bordered, box=(0.1, 0.1, 0.8, 0.9))], known) == {"framed": 0.5}


def test_what_lies_inside_is_rather_the_copy_unless_it_has_more_detail() -> None:
    assert clues([tied(2, 1, inner="derived")], facts(500, 300)) == {"inner": 1}
    assert clues([tied(1, 2, inner="derived")], facts(500, 300)) == {"inner": -1}
    assert clues([tied(2, 1, inner="derived", scale=1.5)], facts(500, 600)) == {}


def test_what_lies_inside_a_border_is_not_the_copy_for_that() -> None:
    padded = tied(2, 1, relation="padded", inner="source", around=BAND)
    assert clues([padded], facts(500, 700)) == {"framed": 1}
    assert Kin([padded], facts(500, 700)).clues(1, 2) == {"framed": -1}
    bordered = derives(2, 1, "border", relation="padded", inner="source")
    assert clues([bordered], facts(500, 700)) == {"border": 1}


def test_the_coarser_encoding_is_rather_the_copy() -> None:
    known = {1: image("a", coarseness=0.5), 2: image("b", coarseness=1.5)}
    assert clues([tied(2, 1)], known) == {"coarser": 1.0}
    known[2] = image("b", 400, coarseness=1.5)
    assert clues([tied(2, 1)], known) == {}


def test_coefficients_remember_the_quality_of_their_source() -> None:
    known = {
        1: image("a", jpeg_quality=90, standard=True),
        2: image("b", jpeg_quality=80, requantised=remembering(90, 0.03)),
    }
    assert clues([tied(2, 1)], known) == {"requantised": pytest.approx(1)}
    assert clues([tied(2, 1, mirrored=True)], known) == {}
    assert clues([derives(2, 1, "containment", inner="derived")], known) == {"containment": 1}


def test_a_coarser_jpeg_before_makes_a_later_generation() -> None:
    once, twice = image("a", jpeg_quality=90), image("b", jpeg_quality=90)
    twice = image("b", jpeg_quality=90, requantised=remembering(70, 0.2))
    assert clues([tied(2, 1)], {1: once, 2: twice}) == {"generation": 1}
    finer = image("b", jpeg_quality=60, requantised=remembering(90, 0.2))
    assert "generation" not in clues([tied(2, 1)], {1: image("a"), 2: finer})


def test_a_ghost_of_the_other_one_and_its_pixels_kept_without_loss() -> None:
    known = {
        1: image("a", jpeg_quality=80, standard=True),
        2: image("b", earlier_quality=79, lossless=True),
    }
    assert clues([tied(2, 1)], known) == {"ghost": 1, "generation": 1}
    same = {1: image("a", pixels=7), 2: image("b", pixels=7, lossless=True)}
    assert clues([tied(2, 1)], same) == {"pixels": 1}
    assert clues([tied(2, 1)], {n: image(str(n), pixels=7, lossless=True) for n in (1, 2)}) == {}


def test_a_lossless_file_of_lossy_pixels_is_not_finer_for_being_lossless() -> None:
    known = {
        1: image("a", coarseness=0.0, lossless=True, pixels=7),
        2: image("b", coarseness=1.0),
        3: image("c", coarseness=1.0, pixels=7),
    }
    part, edited = tied(2, 1, inner="source", around=BAND), tied(2, 1, changed=True)
    assert clues([edited], known) == {"lossless": 1}
    assert clues([edited, tied(3, 1)], known) == {}
    assert clues([part], known) == {"framed": 1}


def remade(one: Rounding | None, two: Rounding | None, same: float = 0.0) -> Remade:
    return Remade(one, two, same)


FITS, MISFITS = Rounding(1.0, 1.0, 50), Rounding(0.0, 0.0, 50)
COARSE = {1: image("a", coarseness=1.0), 2: image("b", coarseness=0.0)}


def test_a_jpeg_that_was_rounded_from_the_other_is_the_copy_though_it_is_finer() -> None:
    found = clues([tied(2, 1, remade=remade(FITS, None))], COARSE)
    assert found == {"rounded": 1, "spread": 1}
    assert clues([tied(1, 2, remade=remade(None, FITS))], COARSE) == found
    both = remade(FITS, Rounding(0.1, 1.0, 50))
    assert clues([tied(2, 1, remade=both)], COARSE) == {"rounded": 1}


def test_of_two_that_fit_the_finer_is_the_copy() -> None:
    found = clues([tied(2, 1, remade=remade(FITS, Rounding(1.0, 0.5, 50)))], COARSE)
    assert found == {"spread": 1, "coarser": -1}
    kept = remade(None, Rounding(1.0, 0.2, 50))
    assert clues([tied(2, 1, remade=kept)], COARSE) == {"spread": 1, "coarser": -1}


def test_a_jpeg_that_does_not_fit_was_not_made_of_the_other() -> None:
    pair = tied(2, 1, remade=remade(None, MISFITS))
    assert clues([pair], COARSE) == {"unfit": 1, "coarser": -1}
    changed = tied(2, 1, remade=remade(None, MISFITS), changed=True)
    assert clues([changed], COARSE) == {"coarser-edited": -1}
    assert clues([tied(2, 1, remade=remade(MISFITS, MISFITS))], COARSE) == {"coarser": -1}


def test_how_coarse_edited_copies_are_is_asked_of_two_that_lost_something() -> None:
    edited = tied(2, 1, changed=True)
    known = {n: image(str(n), coarseness=float(n), lossless=n == 3) for n in (1, 2, 3)}
    assert clues([edited], known) == {"coarser-edited": 1}
    assert clues([edited], known | {1: known[3]}) == {"lossless": -1}


def test_blocks_of_the_same_pixels_tell_what_was_kept_without_loss() -> None:
    known = {1: image("a"), 2: image("b", lossless=True)}
    pair = tied(2, 1, changed=True, remade=remade(None, None, same=0.5))
    assert clues([pair], known) == {"pixels": 1}


def test_a_lossless_copy_in_other_colours_keeps_what_an_encoding_left() -> None:
    known = {1: image("a", coarseness=1.0), 2: image("b", coarseness=-2.0, lossless=True)}
    kept = Remade(None, None, same=0.0, toned=0.5)
    recoloured = tied(2, 1, changed=True, recoloured=True, remade=kept)
    assert clues([recoloured], known) == {"pixels": 1}
    assert clues([replace(recoloured, recoloured=False)], known) == {"lossless": -1}


def test_colours_lose_detail_and_overlays_add_some() -> None:
    known = {1: image("a", detail=(1.0, 1.0)), 2: image("b", detail=(1.1, 0.9))}
    assert clues([tied(2, 1)], known) == {"chroma": pytest.approx(0.4)}
    assert clues([tied(2, 1, changed=True)], known) == {
        "chroma-edited": pytest.approx(0.4),
        "overlay": pytest.approx(2 / 3),
    }


def test_of_two_jpegs_encoded_alike_the_one_with_smoother_colours_is_the_copy() -> None:
    known = {1: jpeg("a", 1.0), 2: jpeg("b", 0.999)}
    alike = remade(Rounding(1.0, 0.2, 50), Rounding(1.0, 0.2, 50))
    assert clues([tied(2, 1, remade=alike)], known) == {"smoothed": pytest.approx(0.2)}
    assert clues([tied(2, 1, remade=alike)], known | {2: jpeg("b", 0.9)}) == {"smoothed": 1}
    for two in (jpeg("b", 0.9, jpeg_quality=81), jpeg("b", 0.9, subsampling="4:4:4")):
        found = clues([tied(2, 1, remade=alike)], known | {2: two})
        assert found == {"chroma": pytest.approx(0.4)}
    apart = remade(Rounding(1.0, 0.2, 50), Rounding(0.9, 0.2, 50))
    assert "smoothed" not in clues([tied(2, 1, remade=apart)], known)


def jpeg(name: str, colours: float, **traces: Any) -> ImageFacts:
    encoded = {"jpeg_quality": 80, "subsampling": "4:2:0"} | traces
    return image(name, detail=(1.0, colours), **encoded)


def test_no_encoding_lies_between_two_lossless_pictures_that_share_pixels() -> None:
    known = {
        1: image("a", detail=(1.0, 1.0), lossless=True),
        2: image("b", detail=(1.1, 1.2), lossless=True),
    }
    drawn = tied(2, 1, remade=remade(None, None, same=0.5))
    assert clues([drawn], known) == {}
    assert clues([tied(2, 1)], known) == {"chroma": pytest.approx(-0.8)}


def test_detail_that_one_lacks_was_lost_or_added_and_counts_once() -> None:
    known = {1: image("a", detail=(1.1, 1.0)), 2: image("b", detail=(1.0, 1.0))}
    assert clues([derives(2, 1, "detail", changed=True)], known) == {"faded": 1}


def test_other_colours_have_other_detail_which_says_nothing() -> None:
    known = {
        1: image("a", coarseness=1.0, detail=(1.0, 1.0)),
        2: image("b", coarseness=0.0, detail=(1.1, 0.9)),
    }
    recoloured = tied(2, 1, changed=True, recoloured=True)
    assert clues([recoloured], known) == {"coarser-recoloured": -1}


def test_of_a_part_and_its_whole_the_coarser_is_rather_the_copy() -> None:
    part = tied(2, 1, inner="derived")
    assert clues([part], COARSE) == {"inner": 1, "coarser-part": -1}
    assert clues([derives(2, 1, "containment", inner="derived")], COARSE) == {"containment": 1}
    known = COARSE | {2: image("b", coarseness=-2.0, lossless=True)}
    assert clues([part], known) == {"inner": 1}


def test_a_signed_manifest_says_what_it_was_made_from() -> None:
    made = Manifest("valid", "child", parents=("parent",))
    known = {1: image("a", manifest=Manifest("valid", "parent")), 2: image("b", manifest=made)}
    assert clues([tied(2, 1)], known) == {"manifest": 0.6}
    assert model().weights["manifest"] * 0.15 < 1


def test_third_images_show_which_one_was_changed() -> None:
    pairs = [
        tied(2, 1, changed=True),
        derives(3, 1), derives(4, 1), derives(3, 2, changed=True), derives(4, 2, changed=True),
    ]  # fmt: skip
    assert clues(pairs, facts(500, 500, 200, 100)) == {"changed": pytest.approx(math.log(3))}


def test_many_copies_of_an_edited_one_are_few_witnesses() -> None:
    thirds = [pair for n in range(3, 13) for pair in (derives(n, 2), derives(n, 1, changed=True))]
    pairs = [tied(2, 1, changed=True), *thirds]
    assert clues(pairs, facts(500, 500, *[200] * 10)) == {"changed": pytest.approx(-math.log(4))}


def test_a_camera_counts_little() -> None:
    known = {1: image("a", metadata={"Make": "Acme"}), 2: image("b")}
    assert clues([tied(2, 1)], known) == {"camera": 1}
    assert 0 < model().weights["camera"] <= 1


def test_every_weight_has_a_kind_and_a_sentence() -> None:
    assert set(model().weights) <= set(CLUES)
    for kind in CLUES:
        assert next(favour(kind, [1.0, 2.0])).startswith("for: 2 copies ")
        assert next(against(kind, [3.0])).endswith(" (3.0)")


@pytest.mark.parametrize(
    ("kind", "one", "several"),
    [
        ("enlargement", "is enlarged, without more detail", "are enlarged, without more detail"),
        ("coarser-edited", "differs and is encoded more", "differ and are encoded more"),
        ("chroma-edited", "differs and has colours", "differ and have colours"),
        ("generation", "comes from a coarser JPEG", "come from a coarser JPEG"),
    ],
)
def test_a_clue_of_one_copy_and_of_several_is_said_rightly(
    kind: str, one: str, several: str
) -> None:
    assert next(favour(kind, [1.0])).startswith(f"for: 1 copy {one}")
    assert next(favour(kind, [1.0, 2.0])).startswith(f"for: 2 copies {several}")


@given(PAIRS)
def test_a_clue_is_the_same_from_both_sides(pairs: list[Pair]) -> None:
    kin = Kin(pairs, KNOWN)
    for one, others in kin.ties.items():
        for other in others:
            back = Kin(pairs, KNOWN).clues(other, one)
            assert kin.clues(one, other) == {kind: -value for kind, value in back.items()}


def test_the_clues_of_a_tie_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[frozenset[str]] = Counter()

    def counted(one: Traces, two: Traces, seen: Seen) -> dict[str, float]:
        asked[frozenset((str(one.coarseness), str(two.coarseness)))] += 1
        return encoding(one, two, seen)

    monkeypatch.setattr("ris_jobs.provenance.clues.encoding", counted)
    known = {n: image(str(n), coarseness=float(n)) for n in range(1, 9)}
    pairs = [tied(a, b) for a in known for b in known if a > b]
    assert len(resolve(pairs, known)) == 1
    assert len(asked) == len(pairs) and set(asked.values()) == {1}
