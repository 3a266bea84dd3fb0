"""Each outcome is said with what it follows from: a match, none and why, identical, unknown."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.errors import NotFound
from ris_jobs.jobs.models import calibration_of, model_of
from ris_jobs.progress import LogProgress
from ris_jobs.report.explanation import as_json
from ris_jobs.settings import Settings
from ris_jobs.store.images import shown_at
from ris_jobs.store.previews import Previews
from ris_jobs.store.stores import Stores, open_stores
from tests.fingerprint.signing import Authority
from tests.jobs.conftest import FormerScan, Scan

Explain = Callable[..., jobs.Explained]


def with_stores(settings: Settings, act: Callable[[Stores], Any]) -> Any:
    with open_stores(settings, model_of(settings)) as stores:
        return act(stores)


@pytest.fixture
def explain(settings: Settings, folder: Path) -> Explain:
    """Explain two files of the folder, or what else names an image."""

    def explain(one: str, two: str, settings: Settings = settings) -> jobs.Explained:
        names = [n if "://" in n or len(n) == 64 else str(folder / n) for n in (one, two)]
        found: jobs.Explained = with_stores(
            settings, lambda stores: jobs.explain(stores, settings, *names)
        )
        return found

    return explain


def values(found: jobs.Explained) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json.dumps(as_json(found.said)))
    return value


def test_a_match_is_said_and_its_probability_follows(
    scan: Scan, folder: Path, explain: Explain
) -> None:
    scan(folder)
    said = values(explain("sub/small.jpg", "coffee.jpg"))
    assert (said["outcome"], said["stored"], said["rederived"]) == ("match", True, True)
    assert said["reasons"] == ["A is derived from B (resolution): it has fewer pixels."]
    match, derived = said["match"], said["derivation"]
    assert match["relation"] == "thumbnail" and match["derived_uri"] == said["images"][0]["uri"]
    score = derived["intercept"] + sum(t["value"] * t["weight"] for t in derived["terms"])
    assert 1 / (1 + math.exp(-score)) == pytest.approx(match["probability"], abs=0.001)
    assert said["versions"]["run_id"] == 1 and said["versions"]["settings_hash"]


def test_either_order_and_every_name_say_the_same(
    scan: Scan, folder: Path, explain: Explain
) -> None:
    scan(folder)
    said = values(explain("coffee.jpg", "sub/small.jpg"))
    assert said["reasons"] == ["B is derived from A (resolution): it has fewer pixels."]
    one, two = said["images"]
    for names in ((one["uri"], two["sha256"]), (one["sha256"].upper(), "sub/../sub/small.jpg")):
        assert values(explain(*names))["match"] == said["match"]
    (folder / "moved.jpg").write_bytes((folder / "coffee.jpg").read_bytes())
    assert values(explain("moved.jpg", "sub/small.jpg"))["match"] == said["match"]


def test_the_manifest_of_either_side_is_said(scan: Scan, folder: Path, explain: Explain) -> None:
    signed = Authority().signed((folder / "coffee.jpg").read_bytes())
    (folder / "coffee.jpg").write_bytes(signed)
    scan(folder)
    one, two = values(explain("sub/small.jpg", "coffee.jpg"))["images"]
    assert one["manifest"] is None
    assert (two["manifest"]["state"], two["manifest"]["signer"]) == ("valid", "Acme")
    one, two = values(explain("coffee.jpg", "coffee.jpg"))["images"]
    assert one["manifest"] is not None and one["manifest"] == two["manifest"]


def test_a_probability_of_other_coefficients_is_not_checked(
    scan: Scan, folder: Path, settings: Settings, explain: Explain
) -> None:
    scan(folder)

    def judge_by(calibration: str, change: str) -> Callable[[Stores], None]:
        def act(stores: Stores) -> None:
            with stores.engine.begin() as db:
                db.execute(text(f"UPDATE ris.match SET calibration = '{calibration}' {change}"))

        return act

    current = values(explain("coffee.jpg", "sub/small.jpg"))["versions"]["at_hand"]
    with_stores(settings, judge_by("older", ""))
    assert values(explain("coffee.jpg", "sub/small.jpg"))["rederived"] is None
    with_stores(settings, judge_by(current, ", probability = 0.6"))
    assert values(explain("coffee.jpg", "sub/small.jpg"))["rederived"] is False


def test_a_match_is_explained_by_the_former_coefficients_that_judged_it(
    former: FormerScan, folder: Path, settings: Settings, explain: Explain
) -> None:
    before = former(folder)
    assert before.version != calibration_of(settings).version
    said = values(explain("coffee.jpg", "sub/small.jpg"))
    assert said["stored"] and said["rederived"] is True
    assert said["versions"]["calibration"] == said["versions"]["at_hand"] == before.version
    stored = said["match"]
    features, by = stored["evidence"]["features"], before.pixels
    assert {t["feature"]: t["weight"] for t in said["derivation"]["terms"]} == by.weights
    score = by.intercept + sum(w * features[name] for name, w in by.weights.items())
    assert 1 / (1 + math.exp(-score)) == pytest.approx(stored["probability"], abs=0.001)


def test_different_photos_are_too_far(scan: Scan, folder: Path, explain: Explain) -> None:
    scan(folder)
    said = values(explain("coffee.jpg", "rocket.jpg"))
    assert (said["outcome"], said["match"], said["stored"]) == ("no match", None, False)
    assert said["judged"]["stop"] == "far"
    assert said["reasons"][-1].startswith("Too far: ")
    assert f"is below {said['judged']['search_cosine']}" in said["reasons"][-1]


def test_a_pair_that_is_no_match_is_judged_once(
    scan: Scan,
    folder: Path,
    rocket: Image.Image,
    settings: Settings,
    explain: Explain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strict = improbable(folder, rocket, settings)
    scan(folder, settings=strict)
    read: list[str] = []
    whole = Previews.read

    def counted(self: Previews, sha256: str) -> bytes | None:
        read.append(sha256)
        return whole(self, sha256)

    monkeypatch.setattr(Previews, "read", counted)
    one, two = explain("rocket.jpg", "covered.jpg", strict).said.images
    # To be judged, and to be drawn.
    assert Counter(read) == {one.sha256: 2, two.sha256: 2}


def improbable(folder: Path, rocket: Image.Image, settings: Settings) -> Settings:
    """A copy of which much is covered, and settings by which it is none."""
    covered = rocket.copy()
    covered.paste((200, 30, 30), (310, 60, 570, 240))
    (folder / "covered.jpg").write_bytes(edits.jpeg(covered, 90))
    return replace(settings, min_probability=1.0)


def test_an_improbable_pair_is_one_at_a_lower_limit(
    scan: Scan, folder: Path, rocket: Image.Image, settings: Settings, explain: Explain
) -> None:
    strict = improbable(folder, rocket, settings)
    scan(folder, settings=strict)
    said = values(explain("rocket.jpg", "covered.jpg", strict))
    assert (said["outcome"], said["judged"]["stop"]) == ("no match", "improbable")
    assert "is below RIS_MIN_PROBABILITY" in said["reasons"][-1]
    assert said["derivation"]["probability"] == pytest.approx(said["judged"]["probability"])
    now = values(explain("rocket.jpg", "covered.jpg", replace(settings, min_probability=0.0)))
    assert (now["outcome"], now["stored"], now["rederived"]) == ("match", False, True)
    assert "No match is stored" in now["reasons"][-1]


def test_the_same_bytes_are_identical(scan: Scan, folder: Path, explain: Explain) -> None:
    scan(folder)
    said = values(explain("rocket.jpg", "sub/rocket-again.jpg"))
    assert said["outcome"] == "identical"
    assert said["reasons"] == ["The same bytes, first seen in the same run."]
    (folder / "later.jpg").write_bytes((folder / "rocket.jpg").read_bytes())
    scan(folder)
    said = values(explain("later.jpg", "rocket.jpg"))
    assert said["reasons"] == ["The same bytes, B was seen first."]


def test_what_is_not_there_is_said_with_what_to_do(
    scan: Scan, folder: Path, settings: Settings, explain: Explain
) -> None:
    (folder / "broken.jpg").write_bytes(b"not a picture")
    scan(folder)
    for name in ("nope.jpg", "https://x.example/a.jpg", "file:///\udcff", "0" * 64):
        with pytest.raises(NotFound, match=r"no scan has seen .*`ris scan`"):
            explain(name, "coffee.jpg")
    with pytest.raises(NotFound, match="in quarantine, so there is nothing to compare: "):
        explain("coffee.jpg", "broken.jpg")
    jobs.crawl_only(
        settings, [_written(folder / "new" / "a.jpg", folder / "coffee.jpg")], LogProgress()
    )
    with pytest.raises(NotFound, match="not fingerprinted yet; `ris scan`"):
        explain("new/a.jpg", "coffee.jpg")


def test_a_replaced_file_is_what_it_shows_now(
    scan: Scan, folder: Path, settings: Settings, coffee: Image.Image
) -> None:
    scan(folder)
    (folder / "rocket.jpg").write_bytes(edits.jpeg(coffee, 50))
    scan(folder)

    def sha256(stores: Stores) -> str | None:
        with stores.engine.connect() as db:
            seen = shown_at(db, (folder / "rocket.jpg").as_uri())
        return seen and seen.sha256

    said = values(
        with_stores(
            settings,
            lambda stores: jobs.explain(
                stores, settings, str(folder / "rocket.jpg"), str(folder / "coffee.jpg")
            ),
        )
    )
    assert said["match"]["relation"] == "recompressed"
    assert said["images"][0]["sha256"] == with_stores(settings, sha256)


def test_gone_previews_are_said_in_the_picture_and_decide_nothing(
    scan: Scan, folder: Path, settings: Settings, explain: Explain
) -> None:
    scan(folder)
    before = explain("coffee.jpg", "sub/small.jpg")
    sha256 = before.said.images[0].sha256
    with_stores(settings, lambda stores: stores.previews.delete(sha256))
    after = explain("coffee.jpg", "sub/small.jpg")
    assert after.said == before.said
    assert after.picture != before.picture
    assert values(explain("coffee.jpg", "rocket.jpg"))["outcome"] == "no match"


def test_damaged_previews_count_as_gone_and_are_told_in_words(
    scan: Scan,
    folder: Path,
    settings: Settings,
    explain: Explain,
    caplog: pytest.LogCaptureFixture,
) -> None:
    scan(folder)
    matched = explain("coffee.jpg", "sub/small.jpg").said.images
    first, second = (_preview_of(settings, image.sha256) for image in matched)
    first.write_bytes(b"no picture")
    second.write_bytes(second.read_bytes()[:700])
    pairs = [("coffee.jpg", "sub/small.jpg"), ("coffee.jpg", "rocket.jpg")]
    damaged = [explain(*pair) for pair in pairs]
    assert "is damaged, and counts as gone: it is no JPEG" in caplog.text
    assert "object at 0x" not in caplog.text
    first.unlink()
    second.unlink()
    assert damaged == [explain(*pair) for pair in pairs]


def _preview_of(settings: Settings, sha256: str) -> Path:
    return settings.home / "previews" / sha256[:2] / f"{sha256}.jpg"


def _written(path: Path, source: Path) -> Path:
    """A file with other bytes than ``source`` but its picture; its folder."""
    path.parent.mkdir()
    path.write_bytes(source.read_bytes() + b"\0")
    return path.parent
