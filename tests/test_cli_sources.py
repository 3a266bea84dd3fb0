"""`ris source` and `ris crawl`, as people use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from ris_jobs.cli import main
from ris_jobs.crawl.directory import uri_of
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine

EXAMPLE = Path(__file__).parents[1] / "docs" / "sources.yaml"

Ris = Callable[..., Result]


@pytest.fixture
def ris(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ris]:
    monkeypatch.setenv("RIS_HOME", str(settings.home))
    monkeypatch.setenv("RIS_DATABASE_URL", str(settings.database_url))

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    yield run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Press Photos"
    folder.mkdir()
    photo = dict(photos())["coffee"]
    (folder / "a.jpg").write_bytes(edits.jpeg(photo, 92))
    (folder / "b.jpg").write_bytes(edits.jpeg(edits.thumbnail(photo, 128)))
    return folder


def listed(ris: Ris) -> dict[str, dict[str, object]]:
    return {s["name"]: s for s in json.loads(ris("source", "list", "--json").stdout)}


def test_a_name_that_is_a_folder_here_is_the_folder_and_that_is_said(
    ris: Ris,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = tmp_path / "here"
    (here / "press").mkdir(parents=True)
    (here / "press" / "only.jpg").write_bytes((folder / "a.jpg").read_bytes())
    monkeypatch.chdir(here)
    ris("source", "add", "press", "directory", folder)
    seen = []
    for named in ("press", "./press", "press/", "source:press"):
        caplog.clear()
        summary = json.loads(ris("scan", named, "--json").stdout)
        seen.append((summary["roots"], f"the source of that name ({folder})" in caplog.text))
    (as_folder, as_source) = ([uri_of(here / "press")], [uri_of(folder)])
    assert seen == [(as_folder, True), (as_folder, False), (as_folder, False), (as_source, False)]
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    assert json.loads(ris("scan", "press", "--json").stdout)["roots"] == as_source
    assert "there is no source 'nosuch'" in ris("scan", "source:nosuch", code=1).stderr
    ris("source", "add", "there", "directory", tmp_path / "there")
    caplog.clear()
    monkeypatch.chdir(tmp_path)
    ris("scan", "there")
    assert "is taken for" not in caplog.text  # it is the folder that the source looks at


def test_a_source_from_its_first_day_to_its_last(ris: Ris, folder: Path) -> None:
    assert "no sources" in ris("source", "list").output
    added = ris(
        *("source", "add", "press", "directory", folder, "--tag", "press", "--tag", "own"),
        *("--exclude", "*/b.jpg", "--set", "limits.images=9"),
    )
    assert "`ris crawl press` looks at it" in added.output
    assert "is there already" in ris("source", "add", "press", "directory", folder, code=2).stderr
    assert ris("crawl", "press").output == "1 image: 1 new\n"
    assert ris("crawl", "press").output == "1 image: 1 unchanged\n"
    said = ris("source", "show", "press").output
    for word in ("limits: images 9", "tags: press, own", "1 image: 1 new", "finished"):
        assert word in said
    shown = json.loads(ris("source", "show", "press", "--json").stdout)
    assert [c["new"] for c in shown["crawls"]] == [0, 1]
    assert ris("scan", "press").exit_code == 0
    (row,) = [json.loads(line) for line in ris("export", "images").stdout.splitlines()]
    assert (row["source"], row["tags"], row["status"]) == ("press", ["press", "own"], "ok")
    ris("source", "disable", "press")
    assert "(disabled)" in ris("source", "list").output
    assert json.loads(ris("crawl", "--all", "--json").stdout)["seen"] == 0
    ris("source", "enable", "press")
    assert json.loads(ris("crawl", "--all", "--json").stdout)["seen"] == 1
    ris("source", "remove", "press")
    assert listed(ris) == {}
    assert "there is no source 'press'" in ris("crawl", "press", code=1).stderr
    # What it brought is still there, under the name that brought it.
    (row,) = [json.loads(line) for line in ris("export", "images").stdout.splitlines()]
    assert row["source"] == "press"
    # A new one may have the name.
    ris("source", "add", "press", "directory", folder)


def test_a_folder_that_is_scanned_becomes_a_source(ris: Ris, folder: Path, tmp_path: Path) -> None:
    ris("scan", folder)
    assert set(listed(ris)) == {"press-photos"}
    ris("scan", folder, folder / "a.jpg")
    assert set(listed(ris)) == {"press-photos"}
    other = tmp_path / "other" / "press photos"
    other.mkdir(parents=True)
    ris("scan", other, "press-photos")
    assert set(listed(ris)) == {"press-photos", "press-photos-2"}
    assert "does not exist" in ris("scan", tmp_path / "nowhere", code=2).stderr
    assert len(listed(ris)) == 2


def test_a_url_needs_a_contact(ris: Ris) -> None:
    said = ris("scan", "https://example.com/a?b", code=2).stderr
    assert "RIS_CONTACT must be set to crawl https://example.com/a?b" in said
    assert listed(ris) == {}
    ris("source", "add", "example", "web", "https://example.com/")
    said = ris("crawl", "example", code=2).stderr
    assert "RIS_CONTACT must be set to crawl source 'example'" in said
    assert "cannot be crawled" in ris("scan", "http://0x7f000001/", code=2).stderr
    assert "`ris source add NAME objects URL`" in ris("scan", "s3://bucket/x", code=2).stderr


def test_a_file_is_made_true(ris: Ris, tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(EXAMPLE.read_text("utf-8"))
    would = ris("source", "apply", file, "--dry-run").output
    assert "photos  would be added" in would
    assert listed(ris) == {}
    ris("source", "apply", file)
    assert set(listed(ris)) == {"photos", "stock", "catalogue", "example"}
    assert ris("source", "apply", file).output == "4 sources as before\n"
    ris("source", "add", "by-hand", "directory", tmp_path)
    changed = EXAMPLE.read_text("utf-8").replace("tags: [press, own]", "tags: [press]")
    file.write_text(changed.partition("  # ── a list of image URLs")[0])
    done = json.loads(ris("source", "apply", file, "--json").stdout)
    assert done == {
        "done": {"photos": "changed", "catalogue": "removed", "example": "removed"},
        "unchanged": 1,
        "dry_run": False,
    }
    assert set(listed(ris)) == {"photos", "stock", "by-hand"}
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text())
    assert "belongs to another file" in ris("source", "apply", other, code=2).stderr
    file.write_text("sources:\n  a: {kind: directory, location: /x}\n  b: {kind: ftp, location: x}")
    assert "source 'b': kind" in ris("source", "apply", file, code=2).stderr
    assert set(listed(ris)) == {"photos", "stock", "by-hand"}


def test_a_file_takes_over_what_was_added_by_hand_and_asks_for_what_another_brought(
    ris: Ris, folder: Path, tmp_path: Path
) -> None:
    file, moved = tmp_path / "sources.yaml", tmp_path / "moved.yaml"
    ris("source", "add", "press", "directory", folder)
    ris("source", "add", "stays", "directory", tmp_path)
    ris("crawl", "press")
    file.write_text(f"sources:\n  press: {{kind: directory, location: {folder}}}\n")
    assert "press  adopted" in ris("source", "apply", file).output
    assert ris("source", "apply", file).output == "1 source as before\n"
    file.rename(moved)
    assert "--adopt takes it over" in ris("source", "apply", moved, code=2).stderr
    assert json.loads(ris("source", "apply", moved, "--adopt", "--json").stdout)["done"] == {
        "press": "adopted"
    }
    shown = json.loads(ris("source", "show", "press", "--json").stdout)
    assert (shown["listed"]["file"], len(shown["crawls"])) == (str(moved), 1)
    moved.write_text("sources: {}\n")
    ris("source", "apply", moved)
    assert set(listed(ris)) == {"stays"}


def test_what_a_source_was_is_kept(ris: Ris, tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "sources.yaml"
    for tag in ("one", "two"):
        file.write_text(f"sources:\n  a: {{kind: directory, location: /x, tags: [{tag}]}}\n")
        ris("source", "apply", file)
    with open_engine(settings) as engine, engine.connect() as db:
        asked = "SELECT tags FROM ris.source_history"
        assert db.execute(text(asked)).all() == [(["one"],)]


def test_a_source_is_changed_by_hand_and_keeps_its_history(
    ris: Ris, folder: Path, tmp_path: Path
) -> None:
    ris("source", "add", "press", "directory", folder, "--tag", "one")
    ris("crawl", "press")
    again = ("source", "add", "press", "directory", folder, "--tag", "two", "--replace")
    assert "source press is changed" in ris(*again).output
    shown = json.loads(ris("source", "show", "press", "--json").stdout)
    assert shown["listed"]["declared"]["tags"] == ["two"]
    assert [c["new"] for c in shown["crawls"]] == [2]
    said = ris("source", "add", "other", "directory", folder, "--replace", code=1).stderr
    assert "there is no source 'other'" in said
    file = tmp_path / "sources.yaml"
    file.write_text("sources:\n  filed: {kind: directory, location: /x}\n")
    ris("source", "apply", file)
    said = ris("source", "add", "filed", "directory", "/y", "--replace", code=2).stderr
    assert f"belongs to {file}: change it there" in said


def test_a_row_that_cannot_be_read_disables_no_other(
    ris: Ris, folder: Path, tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Earlier versions took file://data/list.csv for the URI of a file."""
    ris("source", "add", "good", "directory", folder)
    ris("source", "add", "bad", "urls", "/data/list.csv")
    with open_engine(settings) as engine, engine.begin() as db:
        bad = "UPDATE ris.source SET location = 'file://data/list.csv' WHERE name = 'bad'"
        db.execute(text(bad))
    assert set(listed(ris)) == {"good"}
    assert "source 'bad': location cannot be read" in caplog.text
    assert json.loads(ris("crawl", "--all", "--json").stdout)["new"] == 2
    assert ris("scan", "good").exit_code == 0
    assert "source 'bad': location cannot be read" in ris("crawl", "bad", code=2).stderr
    file = tmp_path / "sources.yaml"
    file.write_text("sources:\n  c: {kind: directory, location: /x}\n")
    ris("source", "apply", file)
    ris("source", "remove", "bad")
    ris("source", "add", "bad", "urls", "/data/list.csv")
    assert set(listed(ris)) == {"good", "bad", "c"}


def test_a_source_that_cannot_be_crawled_stops_no_other(
    ris: Ris, folder: Path, tmp_path: Path
) -> None:
    ris("source", "add", "a-bad", "directory", tmp_path / "nowhere")
    ris("source", "add", "b-bad", "urls", tmp_path / "no.csv", "--contact", "me@example.org")
    ris("source", "add", "c-good", "directory", folder)
    said = ris("crawl", "--all", code=2).stderr
    assert "2 of 3 sources were not crawled to the end" in said
    assert "a-bad: " in said and "does not exist" in said
    assert "b-bad: " in said and "there is no file" in said
    assert listed(ris)["c-good"]["last"]["seen"] == 2  # type: ignore[index]  # JSON
    assert "1 of 2 sources" in ris("scan", "a-bad", "c-good", code=2).stderr
    rows = [json.loads(line) for line in ris("export", "images").stdout.splitlines()]
    assert {row["status"] for row in rows} == {"ok"}
    assert "does not exist" in ris("crawl", "a-bad", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("crawl",), "NAME is needed"),
        (("crawl", "--all", "x"), "NAME is needed"),
        (("source", "add", "a", "web", "example.com"), "source 'a': location"),
        (("source", "add", "a", "directory", ""), "source 'a': location"),
        (("source", "add", "a", "directory", "/x", "--set", "limits"), "--set must be"),
        (("source", "add", "a", "directory", "/x", "--set", "limits.x=1"), "limits: x"),
        (("source", "add", "a", "directory", "/x", "--set", "kind.x=1"), "--set cannot"),
        (("source", "add", "a", "directory", "/x", "--credentials", "pw"), "never the secret"),
    ],
)
def test_what_cannot_be_is_said(ris: Ris, arguments: tuple[str, ...], said: str) -> None:
    assert said in ris(*arguments, code=2).stderr
