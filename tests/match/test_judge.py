from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint.decode import decode
from ris_jobs.match import Candidate, Relation
from ris_jobs.match import judge as judging
from ris_jobs.match.compared import Compared
from ris_jobs.match.examine import Reached
from tests.match.conftest import Collection
from tests.match.scenes import NOON, scene

RESAMPLINGS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]

# What was done, the relation it makes, the reason for the direction (None: nothing tells).
COPIES = {
    "jpeg": (lambda p: edits.jpeg(p, 60), "recompressed", None),
    "webp": (lambda p: edits.webp(p), "recompressed", None),
    "thumbnail": (lambda p: edits.jpeg(edits.thumbnail(p, 128)), "thumbnail", "resolution"),
    "small": (lambda p: edits.jpeg(edits.thumbnail(p, 64)), "thumbnail", "resolution"),
    "upscaled": (lambda p: edits.jpeg(edits.upscale(p, 2), 90), "upscaled", "enlargement"),
    "mirrored": (lambda p: edits.jpeg(edits.mirror(p), 85), "mirrored", None),
    "rotated": (lambda p: edits.jpeg(edits.rotate(p, 90), 85), "rotated", None),
    "greyscale": (lambda p: edits.jpeg(edits.greyscale(p), 85), "edited", "colour"),
    "colour": (lambda p: edits.jpeg(edits.colour_shift(p), 85), "edited", None),
    "caption": (lambda p: edits.jpeg(edits.caption(p), 85), "edited", None),
    "blur": (lambda p: edits.jpeg(edits.blur(p), 85), "edited", "detail"),
    "sharpened": (lambda p: edits.jpeg(edits.sharpen(p, 400), 90), "edited", None),
    "border": (lambda p: edits.jpeg(edits.pad(p), 85), "padded", "border"),
    "band": (lambda p: edits.jpeg(edits.caption_band(p), 85), "padded", "border"),
    "crop": (lambda p: edits.jpeg(edits.crop(p, 0.5), 85), "crop", "containment"),
}


def many(candidates, sides, **limits):
    return judging.judge_many(candidates, Compared.of(candidates, sides), **limits)


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_with_its_relation_and_direction(name, collection, decide):
    make, relation, reason = COPIES[name]
    source = collection.add(edits.png(scene(21)))
    derived = collection.add(make(scene(21)), first_seen_at=NOON + timedelta(days=1))
    match = decide(source, derived)
    assert match is not None
    assert match.relation == relation
    assert (match.derived_id, match.source_id) == (derived.image_id, source.image_id)
    assert match.evidence["direction"] == (reason or "undetermined")
    assert match.suppressed is None
    # Without knowing what is common, a caption might be that of another picture of one template.
    assert match.probability > 0.8


@pytest.mark.parametrize("name", COPIES)
def test_the_verdict_does_not_depend_on_which_side_comes_first(name, collection, decide):
    source = collection.add(edits.png(scene(22)))
    derived = collection.add(COPIES[name][0](scene(22)))
    assert decide(source, derived) == decide(derived, source)


SOME = ("thumbnail", "upscaled", "mirrored", "caption", "border", "crop")
ALL = [edits.png(scene(22)), *(COPIES[name][0](scene(22)) for name in SOME)]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(datas=st.permutations(ALL), rng=st.randoms(use_true_random=False))
def test_verdicts_do_not_depend_on_the_order_of_decoding(datas, rng, calibration):
    def verdicts(files, pairs):
        found = Collection()
        numbers = {side.sha256: side.image_id for side in map(found.add, files)}
        sha = {number: name for name, number in numbers.items()}
        matches = many(
            [Candidate(*sorted((numbers[a], numbers[b])), 0.9) for a, b in pairs],
            found.sides,
            calibration=calibration,
            min_probability=0.5,
            load_preview=found.previews.get,
        )
        return {
            (sha[m.derived_id], sha[m.source_id]): replace(m, derived_id=0, source_id=0)
            for m in matches
        }

    names = [hashlib.sha256(data).hexdigest() for data in ALL]
    pairs = list(combinations(names, 2))
    assert verdicts(datas, rng.sample(pairs, len(pairs))) == verdicts(ALL, pairs)


def test_different_pictures_do_not_match_however_near_their_descriptors(collection, decide):
    sides = [collection.add(edits.jpeg(scene(seed))) for seed in range(30, 36)]
    for a in sides:
        for b in sides:
            assert a is b or decide(a, b, cosine=0.99) is None


def test_evidence_is_json_and_names_the_calibration(collection, decide, calibration):
    a, b = (collection.add(data) for data in (edits.png(scene(1)), edits.jpeg(scene(1))))
    evidence = decide(a, b).evidence
    assert json.loads(json.dumps(evidence)) == evidence
    assert evidence["calibration"]["version"] == calibration.version
    assert {"hashes", "pixels", "features", "also", "changes"} <= set(evidence)


@pytest.mark.parametrize("side", [64, 150, 200])
def test_scale_is_derived_over_source(side, collection, decide):
    source = collection.add(edits.png(scene(2)))
    derived = collection.add(edits.jpeg(edits.thumbnail(scene(2), side)))
    assert decide(source, derived).scale == pytest.approx(side / 300, rel=0.02)


def test_scale_of_a_crop_and_of_a_border_is_that_of_what_both_show(collection, decide):
    picture = scene(3)
    source = collection.add(edits.png(picture))
    half = collection.add(edits.jpeg(edits.thumbnail(edits.crop(picture, 0.64), 120)))
    framed = collection.add(edits.jpeg(edits.pad(picture, 0.15)))
    crop, padded = decide(source, half), decide(source, framed)
    assert (crop.relation, padded.relation) == (Relation.CROP, Relation.PADDED)
    assert crop.scale == pytest.approx(120 / 240, rel=0.03)
    assert padded.scale == pytest.approx(1.0, rel=0.03)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 500),
    degrees=st.sampled_from([0, 90, 180, 270]),
    mirrored=st.booleans(),
    side=st.integers(80, 300),
)
def test_orientation_turns_the_source_into_the_derived(
    seed, degrees, mirrored, side, collection, decide
):
    picture = scene(seed)
    copy = edits.mirror(picture) if mirrored else picture
    copy = edits.rotate(copy, degrees) if degrees else copy
    source = collection.add(edits.png(picture))
    derived = collection.add(
        edits.webp(edits.thumbnail(copy, side)), first_seen_at=NOON + timedelta(days=1)
    )
    match = decide(source, derived)
    expected = {
        (False, 0): 1, (True, 0): 2, (False, 180): 3, (True, 180): 4,
        (True, 270): 5, (False, 90): 6, (True, 90): 7, (False, 270): 8,
    }[mirrored, degrees]  # fmt: skip
    assert match.derived_id == derived.image_id
    assert match.orientation == expected


def test_the_inverse_orientation_is_told_when_the_direction_flips(collection, decide):
    picture = scene(5)
    large = collection.add(edits.png(edits.rotate(picture, 90)))
    small = collection.add(edits.jpeg(edits.thumbnail(picture, 100)))
    match = decide(large, small)
    assert (match.derived_id, match.orientation) == (small.image_id, 8)


def test_several_edits_report_the_one_that_explains_most_and_list_the_rest(collection, decide):
    picture = scene(6)
    source = collection.add(edits.png(picture))
    copy = edits.thumbnail(edits.mirror(edits.greyscale(picture)), 150)
    match = decide(source, collection.add(edits.jpeg(copy)))
    assert match.relation == Relation.MIRRORED
    assert match.evidence["also"] == ["edited", "thumbnail"]
    assert "monochrome" in match.evidence["changes"]


@pytest.mark.parametrize(
    ("factor", "also"), [(0.3, ["thumbnail"]), (0.6, ["thumbnail"]), (1, []), (1.5, ["upscaled"])]
)
def test_a_part_that_was_resized_says_so(factor, also, collection, decide):
    picture = scene(8, (480, 360))
    source = collection.add(edits.png(picture))
    part = edits.crop(picture, 0.5)
    size = tuple(round(side * factor) for side in part.size)
    cut = decide(source, collection.add(edits.jpeg(part.resize(size), 90)))
    assert (cut.relation, cut.evidence["also"]) == ("crop", also)
    whole = picture.resize(tuple(round(side * factor) for side in picture.size))
    framed = decide(source, collection.add(edits.jpeg(edits.pad(whole, 0.15), 90)))
    assert (framed.relation, framed.evidence["also"]) == ("padded", also)


def test_a_cropped_and_mirrored_thumbnail_with_a_caption_says_all(collection, decide):
    source = collection.add(edits.png(scene(64, (480, 360))))
    part = edits.mirror(scene(64, (480, 360)).crop((40, 30, 400, 320)))
    copy = edits.caption(edits.thumbnail(part, 200))
    match = decide(source, collection.add(edits.jpeg(copy, 90)))
    assert match.relation == "crop"
    assert match.evidence["also"] == ["mirrored", "edited", "thumbnail"]


def test_losses_on_both_sides_leave_the_direction_open(collection, decide):
    picture = scene(7)
    grey = collection.add(edits.png(edits.greyscale(picture)))
    small = collection.add(edits.jpeg(edits.thumbnail(picture, 120)))
    match = decide(grey, small)
    assert match.evidence["direction"] == "undetermined"
    assert set(match.evidence["direction_for"] + match.evidence["direction_against"]) >= {
        "resolution",
        "colour",
    }


def test_a_coloured_sign_on_a_greyscale_picture_does_not_make_it_the_original(collection, decide):
    grey = edits.greyscale(scene(73))
    signed = grey.copy()
    signed.paste((230, 30, 40), (40, 40, 150, 130))
    source, derived = collection.add(edits.png(grey)), collection.add(edits.jpeg(signed, 90))
    assert decide(source, derived).evidence["direction"] == "undetermined"


@pytest.mark.parametrize(("left", "top"), [(20, 4), (7, 4), (8, 3)])
def test_a_crop_that_keeps_nearly_all_is_a_crop(collection, decide, left, top):
    source = collection.add(edits.png(scene(74, (480, 360))))
    derived = collection.add(edits.jpeg(scene(74, (480, 360)).crop((left, top, 480, 360)), 85))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("crop", derived.image_id)
    assert match.box == pytest.approx((left / 480, top / 360, 1, 1), abs=0.01)
    assert match.inliers > 50


def test_an_open_direction_goes_by_first_sight_then_by_sha256(collection, decide):
    early = collection.add(edits.webp(scene(8)))
    late = collection.add(edits.png(scene(8)), first_seen_at=NOON + timedelta(seconds=1))
    assert decide(early, late).source_id == early.image_id
    together = replace(late, first_seen_at=NOON)
    lower = min((early, together), key=lambda side: side.sha256)
    assert decide(early, together).source_id == lower.image_id


def test_without_previews_near_hashes_stand_alone(collection, decide):
    picture = scene(9)
    source = collection.add(edits.png(picture))
    copy = collection.add(edits.jpeg(edits.mirror(edits.thumbnail(picture, 150))))
    collection.previews[source.image_id] = None
    match = decide(source, copy)
    assert (match.relation, match.orientation) == (Relation.MIRRORED, 2)
    assert match.evidence["previews"] == "gone" and match.evidence["pixels"] is None


def test_without_previews_a_high_cosine_alone_is_not_a_match(collection, decide):
    a, b = (collection.add(edits.jpeg(scene(seed))) for seed in (40, 41))
    collection.previews[a.image_id] = None
    assert decide(a, b, cosine=0.999) is None


def test_previews_are_not_loaded_for_pairs_that_cheap_tests_rule_out(collection, calibration):
    a, b = (collection.add(edits.jpeg(scene(seed))) for seed in (50, 51))
    loaded = []
    found = many(
        [Candidate(a.image_id, b.image_id, 0.36)],
        collection.sides,
        calibration=replace(calibration, search_cosine=0.5),
        min_probability=0.5,
        load_preview=loaded.append,
    )
    assert list(found) == [] and loaded == []


def test_each_preview_is_loaded_once_for_a_batch(collection, calibration):
    picture = scene(10)
    sides = [collection.add(edits.jpeg(picture, quality)) for quality in (50, 60, 70, 80)]
    loaded = []

    def load(image_id):
        loaded.append(image_id)
        return collection.previews[image_id]

    ids = [side.image_id for side in sides]
    candidates = [Candidate(a, b, 0.99) for a in ids for b in ids if a < b]
    found = list(
        many(
            candidates,
            collection.sides,
            calibration=calibration,
            min_probability=0.5,
            load_preview=load,
        )
    )
    assert len(found) == 6
    assert sorted(loaded) == ids


def test_samples_are_loaded_for_confirmed_pairs_of_one_size_alone(collection, calibration):
    picture = scene(10)
    small = edits.jpeg(edits.thumbnail(picture, 128))
    files = [edits.jpeg(picture, 95), edits.jpeg(picture, 60), small, edits.jpeg(scene(2))]
    bare = {side.image_id: side for side in map(collection.add, files)}
    limits = {"max_pixels": 10**7, "truncated": "reject"}
    samples = {i: decode(data, **limits).sample for i, data in zip(bare, files, strict=True)}
    full = {
        i: replace(side, fingerprint=replace(side.fingerprint, sample=samples[i]))
        for i, side in bare.items()
    }
    asked = []

    def load(ids):
        asked.append(set(ids))
        return {i: samples[i] for i in ids}

    def found(sides, load_samples=None):
        return list(
            many(
                [Candidate(*pair, 0.9) for pair in combinations(sorted(samples), 2)],
                sides,
                calibration=calibration,
                min_probability=0.5,
                load_preview=collection.previews.get,
                load_samples=load_samples,
            )
        )

    whole = found(full)
    assert len(whole) == 3 and any(m.evidence["remade"] for m in whole)
    assert found(bare, load) == whole == found(full, load)
    assert asked == [{1, 2}]
    assert found(bare) != whole


def test_how_far_pairs_came_is_counted(collection, calibration):
    """A copy needs no keypoints, a picture that merely is near needs them, a far one nothing."""
    scenes = [(1, 92), (1, 50), (2, 92), (3, 92)]
    one, copy, near, far = (collection.add(edits.jpeg(scene(n), q)).image_id for n, q in scenes)
    cosines = {copy: 0.99, near: 0.9, far: 0.0}
    reached = Reached(confirmed=3)
    found = many(
        [Candidate(one, other, cosine) for other, cosine in cosines.items()],
        collection.sides,
        calibration=calibration,
        min_probability=0.5,
        load_preview=collection.previews.get,
        reached=reached,
    )
    assert len(list(found)) == 1
    assert reached == Reached(pixels=2, keypoints=1, confirmed=4)


def test_threads_have_no_say_in_what_is_found(collection, calibration, monkeypatch):
    """Of eleven parts three threads take the next one each."""
    monkeypatch.setattr(judging, "_PART", 32)
    files = [edits.jpeg(scene(n), quality) for n in range(3) for quality in range(50, 95, 3)]
    ids = [collection.add(data).image_id for data in files]
    candidates = [Candidate(*pair, 0.9) for pair in combinations(ids, 2)][::3]

    def found(workers):
        reached = Reached()
        matches = many(
            candidates,
            collection.sides,
            calibration=calibration,
            min_probability=0.5,
            load_preview=collection.previews.get,
            reached=reached,
            workers=workers,
        )
        return list(matches), reached

    alone = found(1)
    assert len(candidates) > 320 and len(alone[0]) > 100
    assert found(3) == alone


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (90, 140, 200)])
def test_flat_fields_are_kept_but_suppressed(colour, collection, decide):
    flat = Image.new("RGB", (200, 150), colour)
    a, b = collection.add(edits.png(flat)), collection.add(edits.jpeg(flat))
    assert decide(a, b, cosine=1.0).suppressed == "low-complexity"


def test_gradients_are_suppressed(collection, decide):
    ramp = np.linspace(40, 220, 240).astype(np.uint8)
    picture = Image.fromarray(np.repeat(np.tile(ramp, (180, 1))[..., None], 3, axis=2))
    a, b = collection.add(edits.png(picture)), collection.add(edits.jpeg(picture, 90))
    assert decide(a, b, cosine=1.0).suppressed == "low-complexity"


def test_tiny_pictures_are_suppressed(collection, decide):
    icon = scene(12).resize((12, 12))
    a, b = collection.add(edits.png(icon)), collection.add(edits.jpeg(icon, 95, "4:4:4"))
    match = decide(a, b, cosine=1.0)
    assert match is None or match.suppressed == "low-complexity"


def test_a_stretched_picture_is_edited(collection, decide):
    picture = scene(13)
    a = collection.add(edits.png(picture))
    b = collection.add(edits.jpeg(picture.resize((300, 300)), 90))
    match = decide(a, b)
    assert match.relation == Relation.EDITED
    assert "stretched" in match.evidence["changes"]


@pytest.mark.parametrize("wider", [1.1, 1.4, 2.0])
def test_what_is_larger_along_one_side_alone_may_have_been_stretched(wider, collection, decide):
    picture = scene(13)
    a = collection.add(edits.jpeg(picture, 90))
    size = (round(picture.width * wider), picture.height)
    b = collection.add(edits.jpeg(picture.resize(size), 90))
    assert decide(a, b).evidence["direction"] == "undetermined"


@pytest.mark.parametrize(
    ("factor", "enlarged", "reason"),
    [(1.1, None, "undetermined"), (2, True, "enlargement"), (0.9, False, "resolution")],
)
def test_evidence_says_what_was_found_of_sizes(factor, enlarged, reason, collection, decide):
    a = collection.add(edits.jpeg(scene(14), 90))
    b = collection.add(edits.jpeg(edits.upscale(scene(14), factor), 90))
    evidence = decide(a, b).evidence
    assert (evidence["enlarged"], evidence["direction"]) == (enlarged, reason)
    assert evidence["detail_gap"] == 0


def test_evidence_says_how_much_detail_the_derived_picture_lacks(collection, decide):
    a = collection.add(edits.jpeg(scene(14), 90))
    b = collection.add(edits.jpeg(scene(14).filter(ImageFilter.GaussianBlur(2)), 90))
    match = decide(a, b)
    assert (match.derived_id, match.evidence["direction"]) == (b.image_id, "detail")
    assert match.evidence["detail_gap"] < -0.8


@pytest.mark.parametrize("resample", RESAMPLINGS)
@pytest.mark.parametrize("factor", [1.5, 2, 3])
def test_enlargements_derive_from_the_smaller(resample, factor, collection, decide):
    picture = scene(14)
    source = collection.add(edits.jpeg(picture, 90))
    derived = collection.add(edits.jpeg(edits.upscale(picture, factor, resample), 90))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == (Relation.UPSCALED, derived.image_id)
    assert match.scale == pytest.approx(factor, rel=0.01)


def profiled(side, description="Adobe RGB (1998)"):
    """The side as if its file embedded that ICC profile."""
    metadata = {**side.fingerprint.traces.metadata, "ColourProfile": description}
    traces = replace(side.fingerprint.traces, metadata=metadata)
    return replace(side, fingerprint=replace(side.fingerprint, traces=traces))


def as_adobe_rgb(picture):
    """What the values of ``picture`` show when they are Adobe RGB (1998)."""
    to_srgb = np.array([[1.3984, -0.3984, 0], [0, 1, 0], [0, -0.0429, 1.0429]])
    light = np.clip((np.asarray(picture) / 255) ** 2.2 @ to_srgb.T, 0, 1)
    return Image.fromarray((light ** (1 / 2.2) * 255 + 0.5).astype(np.uint8))


def muted(seed):
    """A scene with the colours of a photo rather than of a test card."""
    return Image.blend(edits.greyscale(scene(seed)), scene(seed), 0.4)


def test_a_copy_that_lost_its_colour_profile_is_not_edited(collection, decide):
    source = profiled(collection.add(edits.png(as_adobe_rgb(muted(15)))))
    derived = collection.add(edits.jpeg(muted(15), 85))
    match = decide(source, derived)
    assert (match.relation, match.evidence["changes"]) == ("recompressed", ["colour-profile"])
    assert match.evidence["direction"] == "undetermined"


def test_a_lost_colour_profile_does_not_hide_edits(collection, decide):
    source = profiled(collection.add(edits.png(as_adobe_rgb(muted(16)))))
    for edit in (edits.caption, edits.colour_shift, edits.greyscale, edits.brightness):
        derived = collection.add(edits.jpeg(edit(muted(16)), 85))
        assert decide(source, derived).relation == Relation.EDITED, edit.__name__


@pytest.mark.parametrize("shown", [as_adobe_rgb, lambda picture: picture])
@pytest.mark.parametrize(
    "edit",
    [
        lambda picture: ImageEnhance.Color(picture).enhance(0.3),
        lambda picture: ImageEnhance.Color(picture).enhance(2),
        lambda picture: ImageOps.posterize(picture, 4),
        lambda picture: rolled_hue(picture, 21),
    ],
    ids=["paler", "brighter colours", "posterised", "hue"],
)
def test_what_one_mapping_of_colours_explains_need_not_be_a_lost_profile(
    edit, shown, collection, decide
):
    """Whatever the profile did to the colours: little, or what Adobe RGB does."""
    source = profiled(collection.add(edits.png(shown(muted(15)))))
    derived = collection.add(edits.jpeg(edit(muted(15)), 85))
    for pair in ((source, derived), (derived, source)):
        assert decide(*pair).relation == Relation.EDITED


def rolled_hue(picture, steps):
    """Every hue turned by ``steps`` of 256."""
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point([(v + steps) % 256 for v in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def test_an_srgb_profile_is_no_other_profile(collection, decide):
    source = profiled(collection.add(edits.png(muted(17))), "sRGB IEC61966-2.1")
    derived = collection.add(edits.jpeg(muted(17), 85))
    assert decide(source, derived).evidence["direction"] == "undetermined"


@pytest.mark.parametrize(
    "written", [{"Make": "Example", "Model": "One"}, {"ColourProfile": "Adobe RGB (1998)"}]
)
@pytest.mark.parametrize("days", [-9, 9])
def test_what_anybody_can_write_decides_no_direction(written, days, collection, decide):
    forged = collection.add(edits.jpeg(scene(18), 70), first_seen_at=NOON + timedelta(days=days))
    traces = replace(forged.fingerprint.traces, metadata=written)
    forged = replace(forged, fingerprint=replace(forged.fingerprint, traces=traces))
    match = decide(forged, collection.add(edits.jpeg(scene(18), 95)))
    said = [*match.evidence["direction_for"], *match.evidence["direction_against"]]
    assert (match.evidence["direction"], len(said)) == ("undetermined", 1)
    assert (match.derived_id == forged.image_id) is (days > 0)


@pytest.mark.parametrize("days", [-9, 9])
def test_a_jpeg_is_derived_from_what_it_is_rounded_from(days, collection, decide):
    parent = edits.jpeg(scene(18), 90)
    with Image.open(io.BytesIO(parent)) as opened:
        copied = edits.jpeg(opened.convert("RGB"), 60)
    source = collection.add(parent, first_seen_at=NOON + timedelta(days=days), sampled=True)
    derived = collection.add(copied, sampled=True)
    match = decide(source, derived)
    assert (match.derived_id, match.evidence["direction"]) == (derived.image_id, "encoding")
    assert match == decide(derived, source)


def test_what_rounding_says_against_a_loss_decides_nothing(collection, decide):
    coloured = collection.add(edits.jpeg(muted(17), 60), sampled=True)
    grey = collection.add(edits.png(muted(17).convert("L").convert("RGB")), sampled=True)
    match = decide(coloured, grey)
    said = {*match.evidence["direction_for"], *match.evidence["direction_against"]}
    assert ({"colour", "encoding"} <= said, match.evidence["direction"]) == (True, "undetermined")


def pasted(seed: int, ground: int, degrees: float = 0.0) -> bytes:
    """A picture at 45 % of the side on another one, perhaps tilted."""
    under, over = scene(ground, (480, 360)), scene(seed, (480, 360)).resize((216, 162))
    mask = Image.new("L", over.size, 255).rotate(degrees, expand=True)
    under.paste(over.rotate(degrees, Image.Resampling.BICUBIC, expand=True), (130, 90), mask)
    return edits.jpeg(under, 90)


def test_a_pasted_picture_is_a_composite_of_its_source(collection, decide):
    source = collection.add(edits.png(scene(60, (480, 360))))
    derived = collection.add(pasted(60, 61))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("composite", derived.image_id)
    assert match.evidence["direction"] == "pasted"
    assert match.box == pytest.approx((130 / 480, 90 / 360, 346 / 480, 252 / 360), abs=0.01)
    assert match.scale == pytest.approx(0.45, rel=0.03)
    assert match == decide(derived, source)


@pytest.mark.parametrize("gutter", [0, 4, 20])
def test_a_cell_of_a_collage_was_pasted(gutter, collection, decide):
    cells = [scene(seed, (300, 220)) for seed in (80, 81, 82, 83)]
    canvas = Image.new("RGB", (600 + 3 * gutter, 440 + 3 * gutter), "white")
    for n, cell in enumerate(cells):
        x, y = (gutter + (n % 2) * (300 + gutter), gutter + (n // 2) * (220 + gutter))
        canvas.paste(cell, (x, y))
    source = collection.add(edits.png(cells[2]), first_seen_at=NOON + timedelta(days=1))
    derived = collection.add(edits.jpeg(canvas, 85))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("composite", derived.image_id)
    assert match.evidence["direction"] == "pasted"


def test_a_tilted_paste_has_no_direction_but_the_right_scale(collection, decide):
    source = collection.add(edits.png(scene(62, (480, 360))))
    derived = collection.add(pasted(62, 63, degrees=20))
    match = decide(source, derived)
    assert match.evidence["direction"] == "undetermined"
    assert match.inliers >= 8 and not match.evidence["keypoints"]["straight"]
    ratio = match.scale if match.derived_id == derived.image_id else 1 / match.scale
    assert ratio == pytest.approx(0.45, rel=0.05)


def test_a_picture_tilted_on_bare_ground_is_edited(collection, decide):
    source = collection.add(edits.png(scene(65, (480, 360))))
    tilted = scene(65, (480, 360)).rotate(40, Image.Resampling.BICUBIC, expand=True)
    derived = collection.add(edits.jpeg(tilted, 85), first_seen_at=NOON + timedelta(days=1))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("edited", derived.image_id)
    assert "bent" in match.evidence["changes"] and match.box is None
    assert match.scale == pytest.approx(1, rel=0.03)


def test_a_mirrored_crop_says_both(collection, decide):
    whole = scene(64, (480, 360))
    source = collection.add(edits.png(whole))
    derived = collection.add(edits.jpeg(edits.mirror(whole.crop((40, 30, 300, 260))), 85))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("crop", derived.image_id)
    assert match.orientation == 2 and "mirrored" in match.evidence["also"]
    assert match.box == pytest.approx((40 / 480, 30 / 360, 300 / 480, 260 / 360), abs=0.01)


def test_keypoints_confirm_a_whole_picture_that_a_caption_hides_a_part_of(collection, decide):
    source = collection.add(edits.png(scene(23)))
    match = decide(source, collection.add(edits.jpeg(edits.caption(scene(23)), 85)))
    assert match.inliers >= 8
    assert match.scale == 1.0
    assert match.evidence["keypoints"]["coverage"] == {"derived": 1.0, "source": 1.0}


def test_a_shared_caption_is_no_copied_picture(collection, decide):
    sides = [collection.add(edits.jpeg(edits.caption(scene(n, (480, 360))), 85)) for n in (70, 71)]
    assert decide(*sides, cosine=0.95) is None


@pytest.mark.parametrize("seed", [20, 22, 24])
@pytest.mark.parametrize("later", ["small", "part"])
def test_a_part_is_a_crop_whichever_was_seen_first(seed, later, collection, decide):
    """A small picture says nothing of whether it was cut from the other or pasted into it."""
    seen = {name: NOON + timedelta(days=name == later) for name in ("small", "part")}
    small = edits.png(edits.thumbnail(scene(seed), 64))
    part = edits.jpeg(edits.crop(scene(seed), 0.5), 85)
    a = collection.add(small, first_seen_at=seen["small"])
    b = collection.add(part, first_seen_at=seen["part"])
    match = decide(a, b)
    assert (match.relation, match.derived_id) == (Relation.CROP, b.image_id)
    assert match.evidence["direction"] == "undetermined"


def test_a_crop_of_a_sky_of_stars_was_not_pasted_into_it(collection, decide):
    """No line of it looks like the next one."""
    sky = dict(photos())["hubble_deep_field"]
    source = collection.add(edits.jpeg(sky, 90))
    for fraction in (0.3, 0.4, 0.5, 0.6, 0.7):
        derived = collection.add(edits.jpeg(edits.crop(sky, fraction), 90))
        match = decide(source, derived)
        assert (match.relation, match.derived_id) == ("crop", derived.image_id)
        assert match.evidence["direction"] != "pasted"


@pytest.mark.parametrize("radius", [4, 8])
def test_a_strong_blur_is_derived_though_it_changes_many_tones(radius, collection, decide):
    source = collection.add(edits.png(scene(21)))
    derived = collection.add(edits.jpeg(edits.blur(scene(21), radius), 85))
    match = decide(source, derived)
    assert match.evidence["pixels"]["changed"] > 0.02
    assert (match.derived_id, match.evidence["direction"]) == (derived.image_id, "detail")


def test_a_caption_on_a_blurred_picture_does_not_make_that_the_original(collection, decide):
    blurred = edits.blur(scene(21), 3)
    source = collection.add(edits.png(blurred))
    derived = collection.add(edits.jpeg(edits.caption(blurred), 85))
    assert decide(source, derived).evidence["direction"] == "undetermined"


def test_what_avif_smooths_is_coding_and_the_same_in_another_format_an_edit(collection, decide):
    source = collection.add(edits.png(scene(75)))
    softened = Image.blend(scene(75), edits.blur(scene(75), 1), 0.6)
    buffer = BytesIO()
    softened.save(buffer, "AVIF", quality=95)
    relations = [
        decide(source, collection.add(data)).relation
        for data in (buffer.getvalue(), edits.jpeg(softened, 95))
    ]
    assert relations == [Relation.RECOMPRESSED, Relation.EDITED]


def test_a_margin_of_the_same_plain_ground_was_cut_off(collection, decide):
    """Nothing sets in at its edge, whichever was seen first."""
    on_white = edits.pad(scene(76, (300, 300)), 0.3)
    source = collection.add(edits.png(on_white), first_seen_at=NOON + timedelta(days=1))
    width, height = on_white.size
    derived = collection.add(edits.png(on_white.crop((30, 0, width, height))))
    match = decide(source, derived)
    assert (match.relation, match.derived_id) == ("crop", derived.image_id)
    assert match.evidence["direction"] == "undetermined"
