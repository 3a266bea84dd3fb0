"""A small run with drawn pictures, made without a table or a file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image, ImageDraw

from ris_jobs.report.views import (
    Bin,
    Changes,
    Count,
    Decided,
    FamilyChange,
    FamilyView,
    Found,
    ImageView,
    KnownView,
    Pairs,
    PairView,
    QuarantineView,
    RunView,
    StageTime,
    Summary,
    UriChange,
)

NIGHT = datetime(2026, 1, 31, 2, 15, 4, tzinfo=UTC)


def jpeg(seed: int, size: tuple[int, int] = (320, 200)) -> bytes:
    picture = Image.new("RGB", size, (seed * 53 % 256, seed * 97 % 256, 120))
    ImageDraw.Draw(picture).ellipse((20, 20, 100 + seed % 80, 150), fill=(250, seed % 256, 10))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


@dataclass(frozen=True)
class Sample:
    """A run, and the stored previews its images have."""

    run: RunView
    previews: dict[str, bytes]


def image(uri: str, size: tuple[int, int] = (1600, 1000)) -> ImageView:
    return ImageView(uri, hashlib.sha256(uri.encode()).hexdigest(), *size, "JPEG", NIGHT)


def pair(derived: ImageView, source: ImageView, relation: str, probability: float) -> PairView:
    return PairView(
        derived=derived,
        source=source,
        relation=relation,
        probability=probability,
        cosine=0.91,
        hash_distance=6,
        inliers=None,
        scale=1.0,
        orientation=1,
        box=None,
        suppressed=None,
        evidence={"phash": 6, "geometry": {"inliers": [120, 4]}},
    )


@pytest.fixture
def sample() -> Sample:
    boat, small, cut, flipped = (
        image(f"file:///photos/{name}.jpg") for name in ("boat", "boat_small", "boat_cut", "taob")
    )
    flipped = replace(flipped, first_seen_at=NIGHT + timedelta(hours=1))
    lake, lake_copy = image("https://a.example/lake.jpg"), image("https://b.example/lake.jpg?w=1")
    blank, blank_too = image("s3://bucket/blank.png"), image("s3://bucket/blank2.png")
    pairs = (
        replace(pair(small, boat, "thumbnail", 0.999), scale=0.25, family_id="f1", new=True),
        replace(pair(cut, boat, "crop", 0.97), box=(0.25, 0.1, 0.75, 0.6), family_id="f1"),
        replace(pair(flipped, boat, "mirrored", 0.91), orientation=2, family_id="f1"),
        replace(pair(lake_copy, lake, "recompressed", 0.62), directed=False),
        replace(
            pair(blank_too, blank, "edited", 0.55),
            suppressed="flat field",
            decided=Decided("unsure", "Ada", "both are white", NIGHT),
        ),
    )
    bad = QuarantineView(
        "file:///photos/cut.jpg", None, "truncated", "It ends early.", NIGHT, NIGHT
    )
    family = FamilyView(
        "f1",
        boat.uri,
        0.97,
        ("for: largest", "against: late"),
        tuple(i.uri for i in (boat, small, cut, flipped)),
        tuple(i.sha256 for i in (boat, small, cut, flipped)),
        "fit123",
        ("mirrored", 0.91),
    )
    matches = {"thumbnail": 1, "crop": 1, "mirrored": 1, "recompressed": 1}
    summary = Summary(
        run_id="7",
        roots=("file:///photos",),
        seen=9,
        new=8,
        changed=0,
        unchanged=1,
        gone=2,
        fingerprinted=8,
        quarantined={"truncated": 1},
        matches={name: Count(int(name == "thumbnail"), n) for name, n in matches.items()},
        suppressed=1,
        pairs=Pairs(1234, 56, 7, 5),
        known={"list a": Count(1, 2), "list b": Count(0, 0)},
        families=1,
        stages=(StageTime("crawl", 0.5, 9), StageTime("match", 2.0, 0)),
        report="/home/a/report.html",
    )
    known = (
        KnownView(boat.uri, boat.sha256, "list a", "note 7", "ab" * 32, 3, new=True),
        KnownView(lake.uri, lake.sha256, "list a", None, "cd" * 32, 31),
    )
    changes = Changes(
        since=NIGHT - timedelta(days=1),
        since_run="6",
        events={"appeared": 2, "gone": 1},
        uris=(
            UriChange("appeared", small.uri, small.sha256),
            UriChange("appeared", bad.uri, None),
            UriChange("gone", "file:///photos/old.jpg", "ee" * 32),
        ),
        families=(
            FamilyChange("f1", 3, 4, (small.uri,), flipped.uri, boat.uri),
            FamilyChange("f0", 2, 0, (), None, None),
        ),
    )
    run = RunView(
        summary=summary,
        started_at=NIGHT,
        finished_at=NIGHT + timedelta(seconds=75),
        as_of=NIGHT + timedelta(days=2),
        model="builtin 1",
        calibration="c0ffee123456",
        config_hash="9f02ab77c1de",
        code_version="0.1.0",
        pairs=pairs,
        families=(family,),
        quarantine=(bad,),
        known=known,
        changes=changes,
        found=Found(1, 0, {"truncated": 1}),
        histogram=(Bin(0, 0.5, 0, 1), Bin(0.5, 1, 4, 0)),
    )
    images = [side for p in pairs for side in (p.source, p.derived)]
    return Sample(run, {side.sha256: jpeg(i) for i, side in enumerate(images)})


@pytest.fixture
def page(sample: Sample) -> Callable[..., str]:
    """The sample's report as one string; ``run`` and the limits can be set."""
    from ris_jobs.report.html import render

    def rendered(run: RunView = sample.run, **limits: int) -> str:
        return "".join(render(run, lambda sha256, side: sample.previews.get(sha256), **limits))

    return rendered
