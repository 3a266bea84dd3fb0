"""What reviewers say counts at once and for good, and scans write nothing for it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.errors import ConfigError, NotFound
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from ris_jobs.store.suppression import standing as standing_of
from tests.jobs.conftest import Scan, row_versions

Decide = Callable[..., jobs.Decision]


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


@pytest.fixture
def decide(engine: Engine, settings: Settings, folder: Path) -> Decide:
    """Decide on two files of the folder."""

    def decide(one: str, two: str, answer: str, why: str = "seen", by: str = "me") -> jobs.Decision:
        names = (str(folder / one), str(folder / two))
        return jobs.decide(engine, settings, *names, answer, why, by)

    return decide


def suppressed(engine: Engine) -> dict[frozenset[str], str]:
    """The names of each suppressed pair, and why; the view agrees with the table."""
    ask = "SELECT derived_uri, source_uri, suppressed FROM ris.match_by_uri WHERE suppressed <> ''"
    differ = (
        "SELECT count(*) FROM ris.match m JOIN ris.suppression s USING (derived_id, source_id) "
        "WHERE m.suppressed IS DISTINCT FROM s.reason OR NOT m.resolved"
    )
    with engine.connect() as db:
        assert db.scalar(text(differ)) == 0
        rows = db.execute(text(ask)).all()
    return {frozenset((Path(one).name, Path(two).name)): why for one, two, why in rows}


def families(engine: Engine) -> list[set[str]]:
    with engine.connect() as db:
        members = db.scalars(text("SELECT members FROM ris.family_by_uri ORDER BY members"))
        return [{Path(uri).name for uri in uris} for uris in members]


SMALL = frozenset(("small.jpg", "coffee.jpg"))


# ── decisions ────────────────────────────────────────────────────────────────────────────────


def test_a_decision_counts_at_once_and_a_scan_writes_nothing_for_it(
    scan: Scan, folder: Path, engine: Engine, decide: Decide
) -> None:
    scan(folder)
    assert families(engine) == [{"small.jpg", "coffee.jpg"}]
    done = decide("coffee.jpg", "sub/small.jpg", "not-copy")
    assert (done.before, done.suppressed, done.changed) == (None, "reviewer", 1)
    assert [Path(uri).name for uri in done.uris] == ["coffee.jpg", "small.jpg"]
    assert (suppressed(engine), families(engine)) == ({SMALL: "reviewer"}, [])
    before = row_versions(engine)
    scan(folder)
    after = row_versions(engine)
    assert [t for t in after if after[t] != before[t]] == ["observation"]
    done = decide("sub/small.jpg", "coffee.jpg", "copy")
    assert (done.before, done.suppressed, done.changed) == ("reviewer", None, 1)
    assert (suppressed(engine), families(engine)) == ({}, [{"small.jpg", "coffee.jpg"}])
    assert len(row_versions(engine)["decision"]) == 2


def test_a_decision_holds_when_the_pair_is_judged_again(
    scan: Scan, folder: Path, engine: Engine, decide: Decide
) -> None:
    scan(folder)
    decide("coffee.jpg", "sub/small.jpg", "not-copy")
    with engine.begin() as db:
        db.execute(text("UPDATE ris.match SET calibration = 'older', judged_suppressed = 'x'"))
        db.execute(text("UPDATE ris.descriptor SET matched_at = NULL"))
    scan(folder)
    with engine.connect() as db:
        judged = db.execute(text("SELECT judged_suppressed, calibration FROM ris.match")).one()
    assert judged[0] is None and judged[1] != "older"
    assert (suppressed(engine), families(engine)) == ({SMALL: "reviewer"}, [])
    decide("coffee.jpg", "sub/small.jpg", "unsure")
    assert (suppressed(engine), families(engine)) == ({}, [{"small.jpg", "coffee.jpg"}])


@pytest.mark.parametrize("answer", ["copy", "not-copy", "unsure"])
def test_without_a_match_there_is_nothing_to_decide(
    scan: Scan, folder: Path, engine: Engine, decide: Decide, answer: str
) -> None:
    scan(folder)
    with pytest.raises(NotFound, match=r"no match of .* is stored.*`ris explain` says why"):
        decide("coffee.jpg", "rocket.jpg", answer)
    with pytest.raises(NotFound, match="are the same bytes, so there is nothing to decide"):
        decide("rocket.jpg", "sub/rocket-again.jpg", answer)
    with pytest.raises(NotFound, match="no scan has seen"):
        decide("coffee.jpg", "nope.jpg", answer)
    assert row_versions(engine)["decision"] == []


def test_a_decision_needs_a_reason_and_a_name_people_can_read(
    scan: Scan, folder: Path, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(folder)
    pair = (str(folder / "coffee.jpg"), str(folder / "sub" / "small.jpg"))
    for why in ("", " ", "a\nb", "\udcff", "x" * 1001):
        with pytest.raises(ConfigError, match="--why must be"):
            jobs.decide(engine, settings, *pair, "copy", why, "me")
    with pytest.raises(ConfigError, match="--by must be"):
        jobs.decide(engine, settings, *pair, "copy", "so", "")
    assert jobs.decide(engine, settings, *pair, "copy", "so", None).by == getpass.getuser()

    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(ConfigError, match="--by is needed"):
        jobs.decide(engine, settings, *pair, "copy", "so", None)


WRITTEN = (
    *("猫\u3000犬", "« oui\u00a0»", "نمی\u200cشود", "👨\u200d👩\u200d👧", "שלום\u200f!"),
    "क्\u200dष",
)
REFUSED = (
    *"\n\r\t\v\x00\x1b\x7f\x85\u2028\u2029\ud800",
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)


def test_a_reason_may_be_of_any_script_but_hide_nothing(
    scan: Scan, folder: Path, engine: Engine, settings: Settings
) -> None:
    scan(folder)
    pair = (str(folder / "coffee.jpg"), str(folder / "sub" / "small.jpg"))
    for why in WRITTEN:
        jobs.decide(engine, settings, *pair, "copy", f"\u3000{why}\u00a0", why)
        with engine.connect() as db:
            last = "SELECT who, why FROM ris.decision ORDER BY decision_id DESC LIMIT 1"
            assert db.execute(text(last)).one() == (why, why)
    for char in REFUSED:
        with pytest.raises(ConfigError, match="--why must be"):
            jobs.decide(engine, settings, *pair, "copy", f"a{char}b", "me")
        with pytest.raises(ConfigError, match="--note must be"):
            jobs.add_template(engine, settings, pair[0], f"a{char}b", "me")
    for nothing in ("\u3000", "\u200b", "\u200d\ufeff"):
        with pytest.raises(ConfigError, match="--why must be"):
            jobs.decide(engine, settings, *pair, "copy", nothing, "me")


def test_the_page_shows_what_was_decided_and_counts_what_is_there_now(
    scan: Scan, folder: Path, engine: Engine, settings: Settings, decide: Decide, tmp_path: Path
) -> None:
    scanned = scan(folder)
    assert (scanned.matches["thumbnail"].total, scanned.suppressed, scanned.families) == (1, 0, 1)
    decide("coffee.jpg", "sub/small.jpg", "copy", "it looks so", "Bob")
    decide("coffee.jpg", "sub/small.jpg", "not-copy", "another <cup>", "Ada")
    page = jobs.report(engine, open_previews(settings), None, tmp_path / "page.html").read_text()
    for shown in (
        *("<b>1</b> families · 0 in all", '<a href="#suppressed">suppressed</a> · 1 in all'),
        '<th scope="row">thumbnail</th>',  # the run found one, and there is none any more
        *("<bdi>Ada</bdi> decided not-copy, ", "<bdi>another &lt;cup&gt;</bdi>"),
    ):
        assert shown in page, shown
    assert "it looks so" not in page


# ── templates and hubs, on pictures ──────────────────────────────────────────────────────────


@pytest.fixture
def memes(tmp_path: Path, coffee: Image.Image) -> Path:
    """A blank, three pictures that fill it in, one of them twice."""
    folder = tmp_path / "memes"
    folder.mkdir()
    (folder / "blank.jpg").write_bytes(edits.jpeg(coffee, 92))
    for name, colour in (("red", (220, 30, 30)), ("blue", (20, 40, 200)), ("grey", (90, 90, 90))):
        meme = coffee.copy()
        meme.paste(colour, (150, 260, 450, 360))
        (folder / f"{name}.jpg").write_bytes(edits.jpeg(meme, 90))
        if name == "red":
            (folder / "red-small.jpg").write_bytes(edits.jpeg(edits.thumbnail(meme, 300)))
    return folder


def template_pairs(*names: str) -> set[frozenset[str]]:
    """All but those of the two that show the same."""
    pairs = {frozenset((one, two)) for one in names for two in names if one < two}
    return pairs - {frozenset(("red.jpg", "red-small.jpg"))}


ALL = ("blank.jpg", "blue.jpg", "grey.jpg", "red-small.jpg", "red.jpg")


def test_pictures_of_a_template_are_no_family_unless_they_show_the_same(
    scan: Scan, memes: Path, engine: Engine, settings: Settings
) -> None:
    scan(memes)
    assert families(engine) == [{*ALL}]
    done = jobs.add_template(engine, settings, str(memes / "blank.jpg"), "a cup", "me")
    assert done.new and done.changed == len(template_pairs(*ALL))
    assert suppressed(engine) == dict.fromkeys(template_pairs(*ALL), "template")
    assert families(engine) == [{"red.jpg", "red-small.jpg"}]
    again = jobs.add_template(engine, settings, str(memes / "blank.jpg"), None, "you")
    assert (again.new, again.changed) == (False, 0)
    assert [(t.note, t.who) for t in jobs.list_templates(engine)] == [("a cup", "me")]
    before = row_versions(engine)
    scan(memes)
    after = row_versions(engine)
    assert [t for t in after if after[t] != before[t]] == ["observation"]
    assert jobs.remove_template(engine, settings, str(memes / "blank.jpg")).changed == done.changed
    assert (suppressed(engine), families(engine)) == ({}, [{*ALL}])
    with pytest.raises(NotFound, match="is no template; `ris template list`"):
        jobs.remove_template(engine, settings, str(memes / "blank.jpg"))


def test_pictures_that_come_after_their_template_are_held_to_it(
    scan: Scan, memes: Path, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    early = tmp_path / "early"
    early.mkdir()
    for name in ("blank.jpg", "blue.jpg"):
        (memes / name).rename(early / name)
    scan(early)
    jobs.add_template(engine, settings, str(early / "blank.jpg"), None, "me")
    scan(early, memes)
    assert suppressed(engine) == dict.fromkeys(template_pairs(*ALL), "template")
    assert families(engine) == [{"red.jpg", "red-small.jpg"}]


def test_a_badge_in_many_pictures_is_a_hub(
    scan: Scan, tmp_path: Path, engine: Engine, settings: Settings, coffee: Image.Image
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "badge.jpg").write_bytes(edits.jpeg(coffee.resize((300, 200)), 92))
    for name, photo in photos():
        if name != "coffee":
            page = photo.resize((640, 480))
            page.paste(coffee.resize((300, 200)), (40, 50))
            (folder / f"{name}.jpg").write_bytes(edits.jpeg(page, 90))
    few = replace(settings, hub_limit=3)
    scan(folder, settings=few)
    found = suppressed(engine)
    assert set(found.values()) == {"hub"} and len(found) > 3
    assert all("badge.jpg" in pair for pair in found)
    with engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.hub")) == 1
        # Of some pages it is not told whether it was cut out of them.
        crops = "SELECT count(*) FROM ris.match WHERE suppressed = 'hub' AND relation = 'crop'"
        assert db.scalar(text(crops))
        held = "SELECT derived_id, source_id FROM ris.match WHERE suppressed = 'hub' LIMIT 1"
        one, two = db.execute(text(held)).one()
        standing = standing_of(db, (one, two))
    assert standing is not None and standing.hub_pictures == len(found)
    assert not any("badge.jpg" in family for family in families(engine))
    pair = sorted(next(iter(found)))
    jobs.decide(engine, few, *(str(folder / name) for name in pair), "copy", "it is", "me")
    assert len(suppressed(engine)) == len(found) - 1


def test_a_decision_leaves_to_a_scan_beside_it_what_that_has_found(
    scan: Scan, memes: Path, rocket: Image.Image, engine: Engine, settings: Settings
) -> None:
    """But for what ties to the pair: its families are looked at anew."""
    (memes / "rocket.jpg").write_bytes(edits.jpeg(rocket, 92))
    (memes / "rocket-small.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 128)))
    scan(memes)
    one, two = (str(memes / name) for name in ALL[:2])
    with engine.begin() as db:
        db.execute(text("UPDATE ris.match SET resolved = false"))
    waiting = "SELECT count(*) FROM ris.match WHERE NOT resolved"
    done = jobs.decide(engine, settings, one, two, "not-copy", "so", "me")
    with engine.connect() as db:
        assert done.changed == 1
        assert db.scalar(text(waiting)) == 1


def test_reviewers_side_by_side_with_scans_leave_what_the_view_says(
    scan: Scan, memes: Path, engine: Engine, settings: Settings
) -> None:
    scan(memes)
    names = [str(memes / name) for name in ALL]
    with engine.begin() as db:
        db.execute(text("UPDATE ris.match SET calibration = 'older'"))
        db.execute(text("UPDATE ris.descriptor SET matched_at = NULL"))

    def review(turn: int) -> None:
        one, two = names[turn % 5], names[(turn + 1) % 5]
        if turn % 3 == 0:
            jobs.add_template(engine, settings, one, None, "me")
        elif turn % 3 == 1:
            jobs.decide(engine, settings, one, two, ("copy", "not-copy")[turn % 2], "so", "me")
        else:
            jobs.resolve(engine, None, LogProgress())

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(scan, memes), *(pool.submit(review, turn) for turn in range(24))]
        for one in done:
            one.result()
    assert "template" in suppressed(engine).values()


def source(engine: Engine) -> str | None:
    """The name of the only family's source."""
    with engine.connect() as db:
        (uri,) = db.scalars(text("SELECT source_uri FROM ris.family_by_uri"))
    return uri and Path(uri).name


def test_a_decision_on_a_source_goes_before_the_evidence_and_is_kept(
    scan: Scan, folder: Path, engine: Engine, settings: Settings, coffee: Image.Image
) -> None:
    scan(folder)
    small, large = str(folder / "sub" / "small.jpg"), str(folder / "coffee.jpg")
    assert source(engine) == "coffee.jpg"
    done = jobs.decide_source(engine, settings, large, small, "it is the print", "Ada")
    assert (Path(done.before or "").name, Path(done.now or "").name) == ("coffee.jpg", "small.jpg")
    (folder / "grey.jpg").write_bytes(edits.jpeg(edits.greyscale(coffee), 60))
    scan(folder)
    assert source(engine) == "small.jpg"
    jobs.decide_source(engine, settings, small, "undetermined", "both are scans", "Bo")
    assert source(engine) is None
    for image in (small, large):
        jobs.decide_source(engine, settings, image, "unsure", "who knows", "Bo")
    assert source(engine) == "coffee.jpg"
    with engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.source_decision")) == 4
    told = jobs.history(engine, settings, small, None).source_decisions
    assert [(d.answer, d.source_uri and Path(d.source_uri).name, d.who) for d in told] == [
        ("source", "small.jpg", "Ada"),
        ("undetermined", None, "Bo"),
        ("unsure", None, "Bo"),
    ]


def test_a_source_must_match_and_be_in_a_family(
    scan: Scan, folder: Path, engine: Engine, settings: Settings
) -> None:
    scan(folder)
    coffee, rocket = str(folder / "coffee.jpg"), str(folder / "rocket.jpg")
    with pytest.raises(NotFound, match="no match of"):
        jobs.decide_source(engine, settings, coffee, rocket, "so", "Ada")
    with pytest.raises(NotFound, match="is in no family"):
        jobs.decide_source(engine, settings, rocket, "undetermined", "so", "Ada")
    assert source(engine) == "coffee.jpg"
