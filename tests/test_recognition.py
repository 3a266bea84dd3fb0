"""What a scan recognises: photos never trained on, with copies made here, end to end.

The photos are not part of the project; without them the test is skipped and says so.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import reports
from ris_jobs.store.postgres import open_engine

Edit = Callable[[Image.Image], bytes]

# Edit → (how it is made, the relation it must be given).
EDITS: dict[str, tuple[Edit, str]] = {
    "reencode": (lambda im: edits.jpeg(im, 50), "recompressed"),
    "webp": (lambda im: edits.webp(im, 75), "recompressed"),
    "thumb64": (lambda im: edits.jpeg(edits.thumbnail(im, 64), 85), "thumbnail"),
    "thumb128": (lambda im: edits.jpeg(edits.thumbnail(im, 128), 85), "thumbnail"),
    "thumb200": (lambda im: edits.jpeg(edits.thumbnail(im, 200), 85), "thumbnail"),
    "upscaled": (lambda im: edits.jpeg(edits.upscale(im, 2.0), 90), "upscaled"),
    "mirrored": (lambda im: edits.jpeg(edits.mirror(im), 90), "mirrored"),
    "rotated": (lambda im: edits.jpeg(edits.rotate(im, 90), 90), "rotated"),
    "grey": (lambda im: edits.jpeg(edits.greyscale(im), 90), "edited"),
    "colour": (lambda im: edits.jpeg(edits.colour_shift(im), 90), "edited"),
    "caption": (lambda im: edits.jpeg(edits.caption(im), 90), "edited"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    derived: str
    source: str
    relation: str


@pytest.fixture(scope="session")
def photos(shared: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Every third of them, unless all are asked for."""
    step = 1 if request.config.getoption("all_photos") else 3
    return sorted((shared / "photos" / "eval").iterdir())[::step]


def write_copies(photo: Path, folder: Path) -> None:
    """The photo's own bytes and every copy, as <stem>__<edit>. A photo that is no larger than
    a thumbnail has no such thumbnail."""
    data = photo.read_bytes()
    (folder / f"{photo.stem}__original").write_bytes(data)
    with Image.open(io.BytesIO(data)) as image:
        rgb = image.convert("RGB")
    for name, (make, _) in EDITS.items():
        if name.startswith("thumb") and max(rgb.size) < 1.1 * int(name[5:]):
            continue
        (folder / f"{photo.stem}__{name}").write_bytes(make(rgb))


def found_pairs(settings: Settings) -> Iterator[Pair]:
    with open_engine(settings) as engine, engine.connect() as db:
        for row in reports.export_rows(db, "matches"):
            if row["suppressed"] is None:
                names = (row[f"{side}_uri"].rpartition("/")[2] for side in ("derived", "source"))
                yield Pair(*names, row["relation"])


def split(name: str) -> tuple[str, str]:
    stem, _, edit = name.rpartition("__")
    return stem, edit


@pytest.mark.slow(450)
def test_copies_of_photos_never_seen_before(
    photos: list[Path], tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda p: write_copies(p, folder), photos))
    made = Counter(split(path.name)[1] for path in folder.iterdir())
    summary = jobs.scan(settings, [folder], LogProgress())
    assert summary.fingerprinted == made.total()

    pairs = list(found_pairs(settings))
    true = [p for p in pairs if split(p.derived)[0] == split(p.source)[0]]
    relations: dict[str, Counter[str]] = defaultdict(Counter)
    reversed_thumbnails = []
    for pair in true:
        (_, derived), (_, source) = split(pair.derived), split(pair.source)
        if "original" in (derived, source):
            relations[derived if source == "original" else source][pair.relation] += 1
        if pair.relation == "thumbnail" and derived == "original" and source.startswith("thumb"):
            reversed_thumbnails.append(pair)

    recall = {e: sum(relations[e].values()) / made[e] for e in EDITS}
    right = {e: relations[e][relation] for e, (_, relation) in EDITS.items()}
    judged = sum(sum(c.values()) for c in relations.values())
    print(f"\nprecision {len(true)}/{len(pairs)}")
    for edit in EDITS:
        given = dict(relations[edit].most_common())
        print(f"{edit:10} {made[edit]} recall {recall[edit]:.4f}  {given}")
    print("stages", [(s.name, round(s.seconds, 1), s.images) for s in summary.stages])
    for pair in [p for p in pairs if p not in true][:20]:
        print("false", pair)

    assert len(true) / len(pairs) >= 0.99
    assert {e: r for e, r in recall.items() if r < 0.99} == {}
    assert sum(right.values()) / judged >= 0.97
    assert reversed_thumbnails == []
