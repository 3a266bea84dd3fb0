"""The picture and the words of a pair: what is drawn lies where it should, names do no harm."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from rich.console import Console

from ris_jobs.fingerprint import Manifest
from ris_jobs.match.alignment import align
from ris_jobs.match.calibration import Calibration, Logistic
from ris_jobs.match.cells import packed
from ris_jobs.match.derivation import derivation
from ris_jobs.match.geometry import squares
from ris_jobs.match.orientation import inverse, turn
from ris_jobs.match.pixels import view
from ris_jobs.match.rerank import HashDistance
from ris_jobs.match.ruling import Ruling, Stop
from ris_jobs.report.changed import changed_places
from ris_jobs.report.explain import WIDTH, draw, spread
from ris_jobs.report.explained import explained
from ris_jobs.report.explanation import Explanation, Judged, Versions, as_json, headline, reasons
from ris_jobs.report.overlay import overlay
from ris_jobs.report.views import Decided, ImageView, PairView, Standing

Rgb = npt.NDArray[np.uint8]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "file:///a/\u202egnp.[red]x\x1b[31m\n" + "long" * 200 + ".jpg"
FEATURES = {"agreement": 0.9, "complexity": 0.5, "changed": 0.2}


def picture(seed: int, size: tuple[int, int] = (300, 200)) -> Rgb:
    """Blots of all sizes, the same for the same seed."""
    rng = np.random.default_rng(seed)
    width, height = size
    canvas = np.full((height, width, 3), 90, np.uint8)
    for _ in range(150):
        place = int(rng.integers(0, width)), int(rng.integers(0, height))
        colour = rng.integers(0, 255, 3).tolist()
        cv2.circle(canvas, place, int(rng.integers(3, 22)), colour, -1)
    return canvas


def turned(of: Rgb, orientation: int) -> Rgb:
    return np.ascontiguousarray(turn(of, orientation))


def image(letter: str, uri: str = "", size: tuple[int, int] = (300, 200)) -> ImageView:
    return ImageView(uri or f"file:///{letter}.jpg", letter * 64, *size, "JPEG", NOON)


def match(
    derived: ImageView,
    source: ImageView,
    relation: str = "recompressed",
    orientation: int = 1,
    box: tuple[float, float, float, float] | None = None,
    **evidence: Any,
) -> PairView:
    seen = {"direction": "resolution", "features": FEATURES, "keypoints": None} | evidence
    chance = derivation(FEATURES, CALIBRATION)
    assert chance is not None
    return PairView(
        *(derived, source, relation, chance.probability, 0.9, 3, None, 1.0, orientation),
        *(box, None, seen),
    )


CALIBRATION = Calibration(
    "m-1", "v1", 0.5, Logistic(-5.5, {"agreement": 6.5, "complexity": 5.0}), Logistic(0.0, {})
)
VERSIONS = Versions(
    model="m-1",
    calibration=CALIBRATION.version,
    at_hand=CALIBRATION.version,
    run_id=7,
    settings_hash="ab",
    code="0.1",
)


def explanation(
    pair: PairView | None,
    judged: Judged | None = None,
    images: tuple[ImageView, ImageView] | None = None,
) -> Explanation:
    return Explanation(
        images=images or (image("a"), image("b")),
        pair=pair,
        judged=judged,
        derivation=derivation(FEATURES, CALIBRATION) if pair else None,
        versions=VERSIONS,
    )


def ruled(ruling: Ruling, rank: int | None = 0, cosine: float = 0.4) -> Judged:
    return Judged(
        ruling=ruling,
        rank=rank,
        cosine=cosine,
        parts=(0, 3),
        top_k=50,
        min_cosine=0.35,
        search_cosine=0.5,
        min_probability=0.5,
    )


DISTANCE = HashDistance(1, 30, 25, 120)
FAR = Ruling(Stop.FAR, DISTANCE, None, None, None)


def drawn(said: Explanation, first: Rgb | None, second: Rgb | None) -> Rgb:
    data = draw(said, first, second, overlay(said, first, second))
    sheet = Image.open(io.BytesIO(data))
    assert (sheet.format, sheet.mode, sheet.width) == ("PNG", "RGB", WIDTH)
    return np.asarray(sheet)


def printed(said: Explanation) -> str:
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(explained(said), soft_wrap=True)
    return out.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_copies_lie_on_each_other(orientation: int) -> None:
    source = picture(1)
    derived = turned(source, orientation)
    for a, b in (("a", "b"), ("b", "a")):
        one, two = image(a), image(b)
        said = explanation(match(one, two, orientation=orientation), images=(one, two))
        laid = overlay(said, derived, source)
        assert laid is not None and not laid.decided
        points = laid.registration
        moved = np.column_stack([points.first, np.ones(points.inliers)]) @ points.matrix.T
        assert points.inliers >= 8
        np.testing.assert_allclose(moved[:, :2], points.second, atol=0.03)


@pytest.mark.parametrize(("inner", "box_of"), [("derived", "b"), ("source", "a")])
def test_a_box_is_where_the_other_shows_it(inner: str, box_of: str) -> None:
    box = (0.25, 0.25, 0.75, 0.75)
    relation = "crop" if inner == "derived" else "composite"
    one, two = image("a"), image("b")
    said = explanation(match(one, two, relation, box=box, inside={"inner": inner}))
    laid = overlay(said, picture(1), picture(2))
    assert laid is not None
    polygon = laid.shared.second if box_of == "b" else laid.shared.first
    assert (polygon.min(), polygon.max()) == (pytest.approx(0.25), pytest.approx(0.75))


@pytest.mark.parametrize("relation", ["crop", "edited", "composite"])
@pytest.mark.parametrize(("inner", "whose"), [("derived", "source"), ("source", "derived image")])
def test_a_box_is_said_to_be_of_the_outer_picture(relation: str, inner: str, whose: str) -> None:
    inside = {"inner": inner, "surround": {"plain": 0.5}}
    pair = match(image("a"), image("b"), relation, box=(0.25, 0.25, 0.75, 0.75), inside=inside)
    (said,) = (line for line in printed(explanation(pair)).splitlines() if line.startswith("box "))
    assert said.endswith(f" of the {whose}")


def test_keypoints_that_decided_are_found_again() -> None:
    source, derived = picture(1), np.ascontiguousarray(picture(1)[40:160, 60:240])
    seen = {"inliers": 50, "matched": 60, "straight": True}
    seen |= {"coverage": {"derived": 1.0, "source": 0.36}}
    said = explanation(match(image("a"), image("b"), "crop", box=(0, 0, 1, 1), keypoints=seen))
    laid = overlay(said, derived, source)
    assert laid is not None and laid.decided and laid.registration.inliers >= 20
    assert laid.shared.coverage == (pytest.approx(1, abs=0.02), pytest.approx(0.36, abs=0.02))
    flat = np.full((100, 100, 3), 128, np.uint8)
    assert overlay(said, flat, flat) is None
    assert "50 of 60 agree, straight, they share 100.0" in printed(said)
    newer = explanation(match(image("a"), image("b"), keypoints=seen | {"parallax": 0.314}))
    assert "agree, straight, parallax 0.31 pixels, they share" in printed(newer)


def test_sheets_have_their_size_and_differ_between_pairs() -> None:
    said = explanation(match(image("a"), image("b")))
    sheets = [drawn(said, picture(1), picture(seed)) for seed in (1, 2)]
    # Title, one reason, two lines of names, a preview of 570 × 380, the note, parts of 373 × 249.
    assert [s.shape for s in sheets] == [(873, WIDTH, 3)] * 2
    assert (sheets[0] != sheets[1]).mean() > 0.05


def test_the_difference_is_dark_where_nothing_differs_and_bright_where_it_does() -> None:
    first = picture(1)
    second = first.copy()
    second[:, 150:] = 255 - second[:, 150:]
    sheet = drawn(explanation(match(image("a"), image("b"))), first, second)
    panel = sheet[-270:-70, 815:1170].astype(int).sum(axis=2)
    assert panel[:, :150].mean() < 60 < 300 < panel[:, 210:].mean()


@pytest.mark.parametrize(
    ("orientation", "asked", "picture_of"),
    [(1, "ab", "derived"), (6, "ab", "derived"), (6, "ba", "source"), (2, "ba", "derived")],
)
def test_cells_that_changed_are_outlined_where_they_differ(
    orientation: int, asked: str, picture_of: str
) -> None:
    source, derived = picture(1), turned(picture(1), orientation)
    height, width = derived.shape[:2]
    # Eighths are two cells.
    x0, x1, y0, y1 = width // 8, width // 4, height // 2, height * 3 // 4
    derived[y0:y1, x0:x1] = 255 - derived[y0:y1, x0:x1]
    cells = np.zeros((16, 16), np.bool_)
    cells[8:12, 2:4] = True
    if picture_of == "source":
        cells = turn(cells, inverse(orientation))
    of = {"picture": picture_of, "box": [0.0, 0.0, 1.0, 1.0]}
    seen = {"changed_cells": packed(cells), "cells_of": of}
    one, two = image("a"), image("b")
    pair = match(one, two, orientation=orientation, pixels=seen)
    straight = asked == "ab"
    said = explanation(pair, images=(one, two) if straight else (two, one))
    first, second = (derived, source) if straight else (source, derived)
    laid = overlay(said, first, second)
    assert laid is not None
    there = changed_places(said, laid, 256)
    assert there is not None and there.mean() == pytest.approx(cells.mean(), abs=0.01)
    a, b, _ = squares(first, second, laid.registration, laid.shared, 256)
    differ = np.abs(a.astype(int) - b).max(axis=2) > 40
    assert (differ & there).sum() > 0.9 * differ.sum()
    marked = drawn(said, first, second)
    plain = drawn(explanation(replace(pair, evidence={}), images=said.images), first, second)
    outline = (marked == (86, 180, 233)).all(axis=2).sum()
    assert outline - (plain == (86, 180, 233)).all(axis=2).sum() > 150


def test_cells_of_a_box_lie_in_it() -> None:
    cells = np.zeros((16, 16), np.bool_)
    cells[:, 12:] = True
    box = (0.25, 0.25, 0.75, 0.75)
    of = {"picture": "derived", "box": list(box)}
    seen = {"changed_cells": packed(cells), "cells_of": of}
    one, two = image("a"), image("b")
    pair = match(one, two, "composite", box=box, inside={"inner": "source"}, pixels=seen)
    said = explanation(pair, images=(one, two))
    laid = overlay(said, picture(1), picture(2))
    assert laid is not None
    there = changed_places(said, laid, 256)
    assert there is not None and there[:, 196:].all() and not there[:, :188].any()


def test_marks_are_seen_on_white_and_on_black() -> None:
    said = explanation(match(image("a"), image("b")))
    for grey in (0, 255):
        flat = np.full((200, 300, 3), grey, np.uint8)
        laid = overlay(said, flat, flat)
        plain = np.asarray(Image.open(io.BytesIO(draw(said, flat, flat, None))))
        marked = np.asarray(Image.open(io.BytesIO(draw(said, flat, flat, laid))))
        changed = np.abs(marked[: len(plain)].astype(int) - plain).max(axis=2)[110:520]
        assert (changed > 120).sum() > 2000, grey


def test_previews_that_are_gone_leave_their_place() -> None:
    said = explanation(match(image("a"), image("b")))
    for first, second in ((None, picture(1)), (picture(1), None), (None, None)):
        assert overlay(said, first, second) is None
        sheet = drawn(said, first, second)
        assert len(sheet) < 873
        assert ((sheet == (236, 238, 240)).all(axis=2)).sum() > 100_000


@pytest.mark.parametrize("size", [(640, 2), (2, 640), (1, 1)])
def test_pictures_of_any_shape_can_be_drawn(size: tuple[int, int]) -> None:
    thin = np.full((size[1], size[0], 3), 40, np.uint8)
    assert len(drawn(explanation(match(image("a"), image("b"))), thin, picture(1))) > 300


def test_hostile_names_are_shortened_and_harmless() -> None:
    one = image("a", HOSTILE)
    said = explanation(match(one, image("b")), images=(one, image("b")))
    plain = explanation(match(image("a"), image("b")))
    assert drawn(said, picture(1), picture(1)).shape == drawn(plain, picture(1), picture(1)).shape
    text = printed(said)
    assert "\x1b" not in text and "\u202e" not in text
    assert r"file:///a/\u202egnp.[red]x\x1b[31m\n" in text
    assert json.loads(json.dumps(as_json(said)))["images"][0]["uri"] == HOSTILE


def test_words_add_the_features_up() -> None:
    text = printed(explanation(match(image("a"), image("b"), also=["edited"])))
    assert text.startswith("recompressed and edited, ")
    assert "as the features above give it" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["agreement", "0.9000", "6.5000", "+5.850"] in rows
    assert ["intercept", "-5.500"] in rows and ["sum", "+2.850"] in rows
    assert ["changed", "0.2000", "–"] in rows


def test_whoever_has_a_say_is_named() -> None:
    pair = replace(match(image("a"), image("b")), suppressed="reviewer")
    standing = Standing(
        reason="reviewer",
        judged="low-complexity",
        template_uri="file:///t.jpg",
        hub=True,
        decided=Decided("not-copy", "Ada\u202e", "another cup 👨\u200d👩\u200d👧", NOON),
    )
    said = replace(explanation(pair), standing=standing)
    assert headline(said).endswith("suppressed: reviewer")
    assert (
        reasons(said)[1] == "Ada\u202e decided: not-copy, because: another cup 👨\u200d👩\u200d👧"
    )
    assert json.loads(json.dumps(as_json(said)))["standing"]["decided"]["at"] == NOON.isoformat()
    lines = [line.split(maxsplit=1) for line in printed(said).splitlines() if line]
    (decision,) = (line[1] for line in lines if line[0] == "decision")
    shown = r"not-copy, Ada\u202e, 2026-01-01 12:00:00 UTC: another cup "
    assert decision == shown + "👨\u200d👩\u200d👧"
    assert ["judged", "low-complexity"] in lines
    assert ["template", "both match file:///t.jpg"] in lines
    assert any(line[0] == "hub" for line in lines)
    nobody = dict.fromkeys(("decided", "judged", "template_uri"))
    quiet = replace(said, standing=replace(standing, hub=False, **nobody))
    assert len(reasons(quiet)) == 1 and "decision" not in printed(quiet)


def test_manifests_are_said_of_both_sides() -> None:
    known = Manifest("trusted", "urn:c2pa:1", "Acme\u202e", ("urn:c2pa:0",))
    said = replace(explanation(match(image("a"), image("b"))), manifests=(known, None))
    shown = printed(said)
    assert "trusted, it fits the file and its signer is known; signed by Acme" in shown
    assert "C2PA manifest: none" in shown and "\u202e" not in shown
    one, two = json.loads(json.dumps(as_json(said)))["images"]
    assert (one["manifest"]["state"], one["manifest"]["signer"]) == ("trusted", "Acme\u202e")
    assert two["manifest"] is None
    broken = printed(replace(said, manifests=(None, Manifest("broken"))))
    assert "does not fit the file or cannot be read; signed by nobody named" in broken


def test_words_say_when_a_probability_does_not_follow() -> None:
    pair = match(image("a"), image("b"))
    assert "do not give" in printed(explanation(replace(pair, probability=0.6)))
    older = replace(explanation(pair), versions=replace(VERSIONS, calibration="older"))
    assert older.rederived is None and "by other coefficients" in printed(older)
    lost = replace(explanation(pair), derivation=None)
    assert lost.rederived is None and "cannot be derived" in printed(lost)


def test_a_direction_is_said_from_either_side() -> None:
    one, two = image("a"), image("b")
    assert reasons(explanation(match(one, two)))[0].startswith("A is derived from B (resolution)")
    assert reasons(explanation(match(two, one)))[0].startswith("B is derived from A (resolution)")


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"common": 0.7, "plain": 0.4}, "of a common kind"),
        ({"common": 0.1, "filled": 1.0}, "another picture"),
        ({"common": 0.1, "parallax": 1.0}, "another view of a scene"),
    ],
)
def test_a_look_alike_says_how_it_looks_alike(seen: dict[str, float], words: str) -> None:
    pair = replace(match(image("a"), image("b"), features=seen), probability=0.6)
    alike = replace(pair, suppressed="look-alike")
    assert words in reasons(explanation(alike))[1]
    assert len(reasons(explanation(pair))) == 1


@pytest.mark.parametrize(
    ("size", "pixels", "why"),
    [
        ((300, 15), {"support": 0.5}, "A is of 300 x 15 pixels only."),
        ((300, 200), {"support": 0.034}, "slope of brightness in only 3.4\xa0% of the blocks."),
        ((300, 200), None, "are gone or damaged, and one of the two has next to no detail."),
    ],
)
def test_low_complexity_says_what_is_lacking(
    size: tuple[int, int], pixels: dict[str, float] | None, why: str
) -> None:
    one, two = image("a", size=size), image("b")
    pair = replace(match(two, one, pixels=pixels), suppressed="low-complexity")
    reason = reasons(explanation(pair, images=(one, two)))[1]
    assert reason.startswith("Low complexity: ") and reason.endswith(why)


@pytest.mark.parametrize(("relation", "inner"), [("composite", "B"), ("crop", "A")])
def test_a_template_and_a_hub_are_told_of(relation: str, inner: str) -> None:
    standing = Standing(
        reason=None, judged=None, template_uri="file:///t.jpg", hub=True, hub_pictures=34
    )
    pair = match(image("a"), image("b"), relation)

    def said(reason: str) -> str:
        suppressed = explanation(replace(pair, suppressed=reason))
        return reasons(replace(suppressed, standing=standing))[1]

    assert said("template").endswith("both fill in or one of them is: file:///t.jpg")
    assert said("hub").startswith(f"A hub: {inner} lies inside 34 pictures")


@pytest.mark.parametrize(
    ("relation", "derived", "later", "why"),
    [
        ("crop", "a", 0, "what is a part of another picture is taken to be cut out of it."),
        ("padded", "a", 0, "what has a plain frame around the other is taken to be framed."),
        ("composite", "a", 0, "what shows another picture and more is taken to be made of it."),
        ("edited", "a", 1, "it was seen later."),
        (
            "edited",
            "b",
            0,
            "both were first seen in the same run, and its sha256 is the higher one.",
        ),
        ("edited", "a", 0, "an earlier version of this program took it to be."),
    ],
)
def test_where_nothing_says_which_came_first_the_rule_is_said(
    relation: str, derived: str, later: int, why: str
) -> None:
    source = image("b" if derived == "a" else "a")
    one = replace(image(derived), first_seen_at=NOON + timedelta(days=later))
    pair = replace(match(one, source, relation), directed=False)
    (said,) = reasons(explanation(pair, images=(one, source)))
    start = "Which came first is undetermined; A is written as derived: "
    assert said == start + why


def test_the_same_bytes_have_no_difference() -> None:
    one, two = image("a"), replace(image("a"), first_seen_at=NOON + timedelta(days=1))
    said = replace(explanation(None, images=(one, two)), versions=None)
    assert (headline(said), reasons(said)) == (
        "identical",
        ["The same bytes, A was seen first."],
    )
    panel = drawn(said, picture(1), picture(1))[-270:-70, 815:1170]
    assert panel.max() <= 4
    assert printed(said).startswith("identical\n")


def test_each_way_to_fail_is_a_sentence() -> None:
    (far,) = reasons(explanation(None, ruled(FAR)))
    assert far == (
        "Too far: 55 of 128 bits of pHash and dHash differ (near: 40), 120 of 256 of PDQ "
        "(near: 70), and the cosine 0.400 is below 0.5, from which pixels are compared."
    )
    (late,) = reasons(explanation(None, ruled(FAR, rank=30, cosine=0.6)))
    assert "30 images that hashes do not settle are nearer (only the 24 nearest of them" in late
    nowhere, _ = reasons(explanation(None, ruled(FAR, rank=None)))
    assert nowhere.startswith("No candidate: neither is among the 50 nearest")
    improbable = Ruling(Stop.IMPROBABLE, DISTANCE, None, FEATURES, 0.31)
    (said,) = reasons(explanation(None, ruled(improbable)))
    assert said.replace("\N{NO-BREAK SPACE}", " ") == (
        "Improbable: 31.0 % is below RIS_MIN_PROBABILITY, 50.0 %."
    )


def test_what_is_not_aligned_is_laid_on_each_other_all_the_same() -> None:
    first, second = picture(1), picture(2)
    alignment = align(view(first), view(second), 1, search=False)
    said = explanation(None, ruled(Ruling(Stop.UNALIGNED, DISTANCE, alignment, None, None)))
    assert reasons(said)[0].startswith("No alignment: laid on each other, the best way, they agree")
    turned_round = replace(alignment, orientation=3)
    ruling = Ruling(Stop.UNALIGNED, DISTANCE, turned_round, None, None)
    assert "(one of them turned 180°)" in reasons(explanation(None, ruled(ruling)))[0]
    assert overlay(said, first, second) is not None
    assert len(drawn(said, first, second)) == 873
    assert "agreement" in printed(said)
    assert json.loads(json.dumps(as_json(said)))["judged"]["stop"] == "unaligned"


def test_places_are_chosen_far_from_each_other() -> None:
    places = np.array([[0, 0], [0.01, 0], [1, 1], [0.5, 0.5], [0.51, 0.5]], np.float32)
    assert spread(places, 3) == [0, 2, 3]
    assert sorted(spread(places, 10)) == [0, 1, 2, 3, 4]
    assert spread(places[:0], 3) == []
