"""What one image does to its batch: nothing. The built-in model has a planted fault here."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.errors import ImageRejected, ModelUnavailable, Reason
from ris_jobs.fingerprint.pipeline import Pipeline
from ris_jobs.jobs import second
from ris_jobs.jobs.models import model_of, open_pipeline
from ris_jobs.jobs.poison import judge_each, run_each
from ris_jobs.match import Candidate, judge
from ris_jobs.match.examine import Reached, examine
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import runs
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.stores import open_stores
from tests.fingerprint.signing import Authority
from tests.fingerprint.test_manifest import nul_in_parent, picture
from tests.jobs.conftest import Scan

Failing = Callable[[Callable[[Any], bool]], Pipeline]
RED = (255, 0, 0)


class Faulty:
    """A model that fails at a stack of squares that is so."""

    def __init__(self, model: Any, at: Callable[[Any], bool]) -> None:
        self._model, self._at = model, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def embed(self, squares: Any) -> Any:
        if self._at(squares):
            raise ArithmeticError("the planted fault")
        return self._model.embed(squares)


@pytest.fixture
def failing(settings: Settings) -> Failing:
    """A pipeline with such a model."""

    def build(at: Callable[[Any], bool]) -> Pipeline:
        pipeline = open_pipeline(settings)
        pipeline.descriptor = Faulty(pipeline.descriptor, at)  # type: ignore[assignment]  # all that a pipeline asks of it
        return pipeline

    return build


def png(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(file, "PNG")
    return file.getvalue()


def red(squares: Any) -> bool:
    """Whether one of the squares, (n, 3, s, s), is all red."""
    return bool((np.asarray(squares).mean((2, 3)) == np.array(RED)).all(1).any())


def test_only_the_image_at_which_the_model_fails_is_rejected(failing: Failing) -> None:
    files = [png((0, 0, 255)), png(RED), png((0, 255, 0)), b"no picture"]
    blue, bad, green, none = run_each(failing(red), files)
    assert isinstance(bad, ImageRejected) and bad.reason is Reason.FAILED
    assert "the planted fault" in bad.detail
    assert isinstance(none, ImageRejected) and none.reason is Reason.NOT_AN_IMAGE
    assert not isinstance(blue, ImageRejected) and not isinstance(green, ImageRejected)


def test_a_model_that_fails_at_all_pictures_rejects_none(failing: Failing) -> None:
    with pytest.raises(ArithmeticError, match="the planted fault"):
        run_each(failing(lambda squares: len(squares) > 0), [png(RED)])


def test_what_cannot_be_used_at_all_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def run(self, _: object) -> None:
            raise ModelUnavailable("builtin", "it is gone", "Put it back.")

    with pytest.raises(ModelUnavailable):
        run_each(Gone(), [b""])  # type: ignore[arg-type]  # all that is asked of it


def judging(bad: set[int], tries: list[int]) -> Callable[..., Iterator[Any]]:
    """A judge whose matches are the candidates themselves, one after the other, up to those at
    which it fails."""

    def judge(candidates: Sequence[Candidate], reached: Reached) -> Iterator[Any]:
        tries.append(len(candidates))
        for candidate in candidates:
            reached.pixels += 1
            if candidate.image_id in bad:
                raise ArithmeticError("the planted fault")
            yield candidate

    return judge


def test_only_the_pair_at_which_judging_fails_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    candidates, tries = [Candidate(n, 1000 + n, 0.5) for n in range(256)], list[int]()
    found, failed = judge_each(judging({77}, tries), candidates, reached := Reached())
    assert failed == 1 and len(tries) == 17
    assert found == [c for c in candidates if c.image_id != 77]
    assert reached.pixels == len(found)
    (line,) = caplog.records
    assert (line.image_id, line.other_id) == (77, 1077)  # type: ignore[attr-defined]  # from extra


def test_judging_that_fails_at_many_pairs_goes_no_further() -> None:
    with pytest.raises(ArithmeticError):
        few = [Candidate(n, 50, 0.5) for n in range(9)]
        judge_each(judging(set(range(9)), []), few, Reached())


def test_a_pair_that_fails_after_others_matched_is_left_out_of_the_night(
    settings: Settings, folder: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More pairs than one thread takes: the matches of the first come before the fault."""
    for number in range(18):
        noise = Image.effect_noise((64, 64), 20 + 5 * number)
        noise.save(folder / "sub" / f"z{number:02}.png")
    everything = replace(settings, min_cosine=-1.0)
    seen = list[int]()

    def faulty(candidates: Sequence[Candidate], *others: Any) -> Any:
        seen.append(len(candidates))
        if any({c.image_id, c.other_id} == {20, 21} for c in candidates):
            raise ArithmeticError("the planted fault")
        return examine(candidates, *others)

    monkeypatch.setattr(judge, "examine", faulty)
    summary = scan(folder, settings=everything)
    assert 128 in seen
    assert summary.matches["thumbnail"].new == 1
    assert any("could not be judged" in said for said in summary.anomalies), summary.anomalies
    with open_engine(settings) as engine, engine.connect() as db:
        waiting = text("SELECT count(*) FROM ris.descriptor WHERE matched_at IS NULL")
        assert db.scalar(waiting) == 0


def test_the_other_images_of_the_batch_go_on(
    settings: Settings, folder: Path, failing: Failing
) -> None:
    (folder / "red.png").write_bytes(png(RED))
    progress = LogProgress()
    jobs.crawl_only(settings, [folder], progress)
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.begin() as db:
            run = runs.start(db, "scan", settings)
        done = jobs.fingerprint(stores, run, lambda: failing(red), settings, progress)
    assert (done.images, done.quarantined) == (3, 1)
    with open_engine(settings) as engine, engine.connect() as db:
        found = db.execute(text("SELECT uri, reason FROM ris.image_by_uri WHERE reason <> ''"))
        assert [(Path(r.uri).name, r.reason) for r in found] == [("red.png", "failed")]


def test_a_model_beside_that_fails_at_every_picture_is_left_out_of_the_night(
    settings: Settings,
    folder: Path,
    scan: Scan,
    failing: Failing,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (late := folder / "sub" / "small.jpg").rename(folder.parent / "small.jpg")
    scan(folder)
    jobs.start_reindex(settings, "builtin", "0+0", "me")
    (folder.parent / "small.jpg").rename(late)
    opened = list[str]()

    def beside(_: Settings) -> Pipeline:
        opened.append("the model beside")
        return failing(lambda squares: len(squares) > 0)

    monkeypatch.setattr(second, "open_pipeline", beside)
    (folder / "third.png").write_bytes(png((0, 0, 255)))
    assert scan(folder, settings=replace(settings, batch_size=1)).fingerprinted == 2
    assert len(opened) == 1
    assert [r for r in caplog.messages if "is left out: the planted fault" in r]
    figures = jobs.reindex_status(settings).figures
    assert figures and (figures.images, figures.described) == (4, 0)


def test_what_cannot_be_stored_is_rejected_alone(settings: Settings, folder: Path) -> None:
    (folder / "red.png").write_bytes(png(RED))
    progress = LogProgress()
    jobs.crawl_only(settings, [folder], progress)
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.begin() as db:
            run = runs.start(db, "scan", settings)
        lying = Lying(open_pipeline(settings))
        done = jobs.fingerprint(stores, run, lambda: lying, settings, progress)  # type: ignore[arg-type,return-value]  # all that is asked of it
    assert (done.images, done.quarantined) == (3, 1)
    with open_engine(settings) as engine, engine.connect() as db:
        found = db.execute(
            text("SELECT uri, reason, detail FROM ris.image_by_uri WHERE reason <> ''")
        )
        ((uri, reason, detail),) = found
        assert (Path(uri).name, reason) == ("red.png", "failed")
        assert "cannot be stored" in detail and "frames" in detail
        assert db.scalar(text("SELECT count(*) FROM ris.descriptor")) == 3


class Lying:
    """A pipeline that finds no frame in what is all red."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.stages = pipeline.stages

    def run(self, files: Sequence[bytes]) -> list[Any]:
        found: list[Any] = self._pipeline.run(files)
        if png(RED) in files:
            at = files.index(png(RED))
            frameless = replace(found[at].fingerprint, frames=0)
            found[at] = replace(found[at], fingerprint=frameless)
        return found


def test_texts_that_postgresql_does_not_hold_stop_no_scan(
    settings: Settings, folder: Path, scan: Scan
) -> None:
    authority = Authority()
    (folder / "signed.jpg").write_bytes(nul_in_parent(authority, authority.signed(picture())))
    assert not scan(folder).quarantined
    with open_engine(settings) as engine, engine.connect() as db:
        signed = "SELECT traces->'manifest' FROM ris.image WHERE traces->'manifest' <> 'null'"
        manifest = db.scalar(text(signed))
    assert manifest["state"] == "broken" and manifest["parents"][0].startswith("urn:c2pa:")


def test_a_trace_that_fails_is_logged_with_its_image(
    folder: Path, coffee: Image.Image, scan: Scan, caplog: pytest.LogCaptureFixture
) -> None:
    bad = folder / "profile.jpg"
    coffee.save(bad, "JPEG", icc_profile=b"no profile")
    with caplog.at_level("INFO", "ris_jobs"):
        summary = scan(folder)
    assert (summary.fingerprinted, summary.rejected) == (4, 0)
    (said,) = [record for record in caplog.records if hasattr(record, "sha256")]
    assert "lacks a trace: profile: " in said.getMessage()
    assert said.sha256 == hashlib.sha256(bad.read_bytes()).hexdigest()


def test_a_damaged_preview_stops_no_scan(settings: Settings, folder: Path, scan: Scan) -> None:
    (late := folder / "sub" / "small.jpg").rename(folder.parent / "small.jpg")
    scan(folder)
    for preview in (settings.home / "previews").rglob("*.jpg"):
        preview.write_bytes(preview.read_bytes()[:700])
    (folder.parent / "small.jpg").rename(late)
    assert scan(folder).matches["thumbnail"].new == 1
