"""A collection of copies and of pictures that look alike, and the pairs a scan finds in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from benchmarks.accuracy import suite as suites
from benchmarks.accuracy.plan import usable
from benchmarks.accuracy.truth import Row
from ris_jobs.demo import edits
from ris_jobs.fingerprint import descriptor, preview
from ris_jobs.fingerprint.pipeline import Pipeline, Processed
from ris_jobs.jobs.models import model_of
from ris_jobs.match import Candidate, Side, examine
from ris_jobs.match.candidates import Described, pair_up
from ris_jobs.match.compared import Compared
from ris_jobs.match.ranking import ranked_unsettled
from ris_jobs.match.rerank import HashDistance
from ris_jobs.settings import Settings
from ris_jobs.store.vectors import open_vectors
from training.calibrate.alike import alike

PER_VARIANT = 8
DEFAULTS = Settings()
_BATCH = 64
# Copies of two photos that may share a third one.
_MIXED = frozenset({"pasted", "collage", "phone", "desktop", "blend", "covered", "chain"})
# Negatives that have copies of their own (all flat fields are alike), and what a pair of these
# counts: each is here in three files, which are ninefold pairs.
GRAPHICS = frozenset(
    {"template", "logo", "placeholder", "document", "interface", "screen", "frame"}
)
NINEFOLD = 1 / 9
COPIES, OTHERS = "copies", "others"

Kinds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Item:
    """One image of the collection; ``descriptors`` (regions, dim), the whole first."""

    row: Row
    side: Side
    picture: bytes
    descriptors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scan:
    """A collection, its candidate pairs (ids are places in ``items``), the distances of their
    hashes, and the kind of each: 0 for copies, 1 for pictures that look alike, 2 for others."""

    items: Sequence[Item]
    pairs: list[Candidate]
    distances: list[HashDistance]
    kinds: Kinds

    @property
    def same(self) -> npt.NDArray[np.bool_]:
        """(pairs,), whether both are copies of one picture."""
        return self.kinds == 0

    def groups(self) -> dict[str, Kinds]:
        """The places of pairs: of copies, of others, and of each group that looks alike."""
        found = defaultdict(list)
        for place, (pair, kind) in enumerate(zip(self.pairs, self.kinds.tolist(), strict=True)):
            group = str(self.items[pair.image_id].row.group)
            found[(COPIES, group, OTHERS)[kind]].append(place)
        return {name: np.array(found[name]) for name in sorted(found)}


def collections(photos: Sequence[Path], model: str, seed: int) -> tuple[list[Item], list[Item]]:
    """The suite of these photos, and further pictures that look alike, described; what cannot be
    read is left out."""
    with TemporaryDirectory() as folder:
        linked = Path(folder, "photos")
        linked.mkdir()
        for photo in photos:
            (linked / photo.name).symlink_to(photo.resolve())
        suite = suites.build(linked, Path(folder, "suite"), seed=seed, per_variant=PER_VARIANT)
        files = zip(suite.rows, (path.read_bytes() for path in suite.paths), strict=True)
        further = alike(list(usable(linked, seed)), seed)
        return _described(files, model), _described(further, model)


def _described(files: Iterable[tuple[Row, bytes]], model: str) -> list[Item]:
    pipeline = Pipeline(
        descriptor.load(model, DEFAULTS.weights),
        max_pixels=DEFAULTS.max_pixels,
        truncated=DEFAULTS.truncated,
        preview_size=DEFAULTS.preview_size,
    )
    items: list[Item] = []
    every = _with_copies(files)
    with tqdm(desc="describe", unit="image", disable=None) as bar:
        while some := list(islice(every, _BATCH)):
            rows, datas = zip(*some, strict=True)
            for row, data, found in zip(rows, datas, pipeline.run(datas), strict=True):
                if isinstance(found, Processed):
                    items.append(_item(len(items), row, data, found))
            bar.update(len(some))
    return items


def _with_copies(files: Iterable[tuple[Row, bytes]]) -> Iterator[tuple[Row, bytes]]:
    """All files; of what was drawn also copies, of which there are none."""
    for row, data in files:
        yield row, data
        if row.group not in GRAPHICS:
            continue
        with Image.open(BytesIO(data)) as opened:
            picture = opened.convert("RGB")
        for copied in (edits.jpeg(picture, 60), edits.jpeg(edits.thumbnail(picture, 200), 85)):
            yield row, copied


def _item(number: int, row: Row, data: bytes, found: Processed) -> Item:
    at, common = datetime(2000, 1, 1, tzinfo=UTC), found.commonness.tolist()
    side = Side(number, sha256(data).hexdigest(), found.fingerprint, at, common)
    return Item(row, side, found.preview, found.descriptors)


def scan(items: Sequence[Item], model: str) -> Scan:
    """Candidate pairs as a scan finds them, less those whose truth is not known."""
    vectors_of = {place: item.descriptors for place, item in enumerate(items)}
    hashes = {place: item.side.fingerprint.hashes.pdq for place, item in enumerate(items)}
    described = Described.of(vectors_of, hashes)
    with TemporaryDirectory() as home:
        settings = replace(DEFAULTS, home=Path(home), model=model)
        with open_vectors(settings, model_of(settings)) as vectors:
            vectors.upsert(described)
            searches = vectors.neighbours(described, settings.top_k + 1)
    pairs = pair_up(
        searches,
        top_k=DEFAULTS.top_k,
        min_cosine=DEFAULTS.min_cosine,
        load=lambda ids: {i: vectors_of[i] for i in ids},
    )
    compared = Compared.of(pairs, {item.side.image_id: item.side for item in items})
    told = [
        (pair, kind)
        for pair in ranked_unsettled(pairs, compared, vectors_of)
        if (kind := _kind(items[pair.image_id].row, items[pair.other_id].row)) is not None
    ]
    pairs, distances = [pair for pair, _ in told], [compared.distance(pair) for pair, _ in told]
    return Scan(items, pairs, distances, np.array([kind for _, kind in told]))


def _kind(one: Row, other: Row) -> int | None:
    """As in :class:`Scan`; None where both show, or may show, a third photo."""
    if one.file == other.file:
        return 0
    if one.shows_also(other):
        return None
    if "negative" in (one.kind, other.kind):
        return 1 if one.group == other.group else 2
    if one.photo == other.photo:
        return 0
    return None if {one.family, other.family} <= _MIXED else 2


def loader(of: Scan) -> examine.LoadPreview:
    """Of the previews of a scan."""
    return lambda image_id: preview.load(of.items[image_id].picture)
