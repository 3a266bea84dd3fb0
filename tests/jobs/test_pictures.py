"""Keypoints are made once, kept beside the preview, and decide the same whichever way they came."""

from __future__ import annotations

import errno
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem
from PIL import Image, ImageDraw

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.fingerprint import preview
from ris_jobs.jobs.match import Means, compared_of, judged
from ris_jobs.jobs.models import calibration_of, model_of
from ris_jobs.jobs.pictures import loaders
from ris_jobs.match import Candidate, Match, Side
from ris_jobs.match.geometry import Keypoints, keypoints
from ris_jobs.match.packed import pack
from ris_jobs.settings import Settings
from ris_jobs.store.stores import Stores, open_stores
from tests.jobs.conftest import Scan


def kept(settings: Settings) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in (settings.home / "previews").rglob("*.keypoints")}


@pytest.fixture
def pair(tmp_path: Path, rocket: Image.Image) -> Path:
    """A photo, and a picture that it was tilted and pasted into: only keypoints tell."""
    page = Image.new("RGB", (900, 700), "white")
    ImageDraw.Draw(page).multiline_text((40, 30), "Read all about it\n" * 4, fill="black")
    small = rocket.convert("RGBA").resize((480, 320)).rotate(9, expand=True)
    page.paste(small, (300, 220), small)
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "rocket.jpg").write_bytes(edits.jpeg(rocket, 92))
    (folder / "page.jpg").write_bytes(edits.jpeg(page, 92))
    return folder


def with_stores(settings: Settings, act: Callable[[Stores], Any]) -> Any:
    with open_stores(settings, model_of(settings)) as stores:
        return act(stores)


def decided(settings: Settings, stores: Stores) -> tuple[list[Match], dict[int, Side]]:
    """The two images of a scan, judged anew."""
    candidate = Candidate(1, 2, 0.9)
    with stores.engine.connect() as db:
        compared = compared_of(db, stores.model_id, [candidate])
    means = Means.of(stores, calibration_of(settings), settings)
    return list(judged([candidate], compared, means)), compared.sides


def test_decisions_are_the_same_from_kept_keypoints_and_from_new_ones(
    scan: Scan, pair: Path, settings: Settings
) -> None:
    scan(pair)
    made = kept(settings)
    assert len(made) == 2

    def three_ways(stores: Stores) -> list[list[Match]]:
        read, _ = decided(settings, stores)
        assert kept(settings) == made
        for n, path in enumerate(made):
            path.write_bytes(made[path][: 1000 * n])
        damaged, _ = decided(settings, stores)
        assert kept(settings) == made
        for path in made:
            path.unlink()
        anew, _ = decided(settings, stores)
        assert kept(settings) == made
        return [read, damaged, anew]

    read, damaged, anew = with_stores(settings, three_ways)
    assert read == damaged == anew
    assert len(read) == 1 and read[0].inliers is not None and read[0].inliers >= 8


def test_what_is_kept_is_what_is_used(scan: Scan, pair: Path, settings: Settings) -> None:
    """Else the equality of decisions would say nothing."""
    scan(pair)

    def without_any(stores: Stores) -> list[Match]:
        _, sides = decided(settings, stores)
        none = Keypoints(np.empty((0, 2), np.uint16), np.empty((0, 128), np.uint8), (0, 0))
        for side in sides.values():
            picture = preview.load(stores.previews.read(side.sha256) or b"")
            stores.previews.write_keypoints(side.sha256, pack(none, picture))
        return decided(settings, stores)[0]

    assert with_stores(settings, without_any) == []


def test_keypoints_of_a_preview_that_was_replaced_are_made_anew(
    scan: Scan, pair: Path, settings: Settings, coffee: Image.Image
) -> None:
    scan(pair)

    def replaced(stores: Stores) -> tuple[Keypoints | None, Keypoints]:
        _, sides = decided(settings, stores)
        data = edits.jpeg(coffee, 92)
        stores.previews.write(sides[1].sha256, data)
        return loaders(sides, stores.previews, {})[1](1), keypoints(preview.load(data))

    read, expected = with_stores(settings, replaced)
    np.testing.assert_array_equal(read.places, expected.places)


def test_a_gone_preview_has_no_keypoints(scan: Scan, pair: Path, settings: Settings) -> None:
    scan(pair)

    def gone(stores: Stores) -> Keypoints | None:
        _, sides = decided(settings, stores)
        stores.previews.delete(sides[1].sha256)
        return loaders(sides, stores.previews, {})[1](1)

    assert with_stores(settings, gone) is None
    assert len(kept(settings)) == 1


def test_a_search_keeps_nothing_of_its_own_picture(
    scan: Scan, pair: Path, settings: Settings
) -> None:
    scan(pair)
    rocket, page = ((pair / name).read_bytes() for name in ("rocket.jpg", "page.jpg"))
    for path in kept(settings):
        path.unlink()
    # Other bytes of the same picture.
    answer = with_stores(settings, lambda s: jobs.search(s, settings, page + b".", "source", 5))
    assert sha256(rocket).hexdigest() in {f.sha256 for f in answer.found}
    assert {path.stem for path in kept(settings)} == {sha256(rocket).hexdigest()}


def test_what_cannot_be_kept_is_no_error(
    scan: Scan, pair: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    scan(pair)
    expected = with_stores(settings, lambda stores: decided(settings, stores)[0])
    for path in kept(settings):
        path.unlink()
    monkeypatch.setattr(LocalFileSystem, "pipe_file", full)
    assert with_stores(settings, lambda stores: decided(settings, stores)[0]) == expected
    assert not kept(settings)
