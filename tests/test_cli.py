"""The command line as people and scripts use it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from ris_jobs.cli import main
from ris_jobs.crawl.directory import uri_of
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint.luma import luma
from ris_jobs.fingerprint.pdq import pdq
from ris_jobs.settings import Settings
from tests.fingerprint.signing import Authority

Ris = Callable[..., Result]

MATCHES = [
    "run_id",
    "derived_uri",
    "source_uri",
    "derived_sha256",
    "source_sha256",
    "relation",
    "probability",
    "cosine",
    "hash_distance",
    "inliers",
    "scale",
    "orientation",
    "box",
    "suppressed",
    "evidence",
    "derived_tags",
    "source_tags",
]
IMAGES = [
    "uri",
    "sha256",
    "width",
    "height",
    "format",
    "status",
    "reason",
    "first_seen_at",
    "last_seen_at",
    "gone_at",
    "family_id",
    "is_source",
    "source_uri",
    "source_confidence",
    "source",
    "tags",
    "page",
    "title",
    "alt",
    "link",
    "published_at",
    "columns",
]
HITS = ["run_id", "bank", "label", "hash", "distance", "uri", "sha256"]
FAMILIES = ["family_id", "source_uri", "confidence", "reasons", "members", "model", "overwritten"]


@pytest.fixture
def ris(settings: Settings, any_disk: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ris]:
    """Run ``ris`` in this process on a fresh home."""
    monkeypatch.setenv("RIS_HOME", str(settings.home))
    monkeypatch.setenv("RIS_DATABASE_URL", str(settings.database_url))

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    yield run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A photo, a thumbnail, a greyscale copy, the same bytes again, and a broken file."""
    photo = dict(photos())["coffee"]
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(edits.jpeg(photo, 92))
    (folder / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(photo, 200)))
    (folder / "grey.jpg").write_bytes(edits.jpeg(edits.greyscale(photo), 90))
    (folder / "z-again.jpg").write_bytes(edits.jpeg(photo, 92))
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return folder


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_scan_says_what_it_found_and_ends_0_though_one_file_is_broken(
    ris: Ris, folder: Path
) -> None:
    said = ris("scan", folder).output
    for word in ("thumbnail", "identical", "not-an-image", "fingerprint", "images/s", "run-1.html"):
        assert word in said
    summary = json.loads(ris("scan", folder, "--json").stdout)
    assert summary["images"]["unchanged"] == 5
    assert summary["quarantined"] == {"not-an-image": 1}
    assert Path(summary["report"]).is_file()


def test_exported_rows_are_those_of_the_contract(ris: Ris, folder: Path) -> None:
    ris("scan", folder)
    matches = rows(ris("export", "matches"))
    assert {tuple(m) for m in matches} == {tuple(MATCHES)}
    by_pair = {(Path(m["derived_uri"]).name, Path(m["source_uri"]).name): m for m in matches}
    small = by_pair["small.jpg", "photo.jpg"]
    assert small["relation"] == "thumbnail"
    assert small["scale"] == pytest.approx(200 / 600, rel=0.03)
    assert 0.5 <= small["probability"] <= 1
    assert small["derived_sha256"] != small["source_sha256"]
    assert small["evidence"]["direction"] != "undetermined"
    same = by_pair["z-again.jpg", "photo.jpg"]
    assert (same["relation"], same["probability"]) == ("identical", 1)
    assert same["derived_sha256"] == same["source_sha256"]
    assert by_pair["grey.jpg", "photo.jpg"]["relation"] == "edited"
    pairs = [frozenset((m["derived_uri"], m["source_uri"])) for m in matches]
    assert len(pairs) == len(set(pairs))

    images = rows(ris("export", "images"))
    assert {tuple(i) for i in images} == {tuple(IMAGES)}
    by_name = {Path(i["uri"]).name: i for i in images}
    assert by_name["photo.jpg"]["uri"] == uri_of(folder / "photo.jpg")
    assert (by_name["broken.jpg"]["status"], by_name["broken.jpg"]["reason"]) == (
        "quarantined",
        "not-an-image",
    )
    assert by_name["photo.jpg"]["status"] == "ok"
    assert datetime.fromisoformat(by_name["photo.jpg"]["first_seen_at"]).tzinfo is not None

    (family,) = rows(ris("export", "families"))
    assert tuple(family) == tuple(FAMILIES)
    assert {Path(m).name for m in family["members"]} == set(by_name) - {"broken.jpg"}
    (broken,) = rows(ris("export", "quarantine"))
    assert broken["reason"] == "not-an-image" and broken["detail"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_every_format_holds_the_same_rows(
    ris: Ris, folder: Path, tmp_path: Path, form: str
) -> None:
    ris("scan", folder)
    out = tmp_path / f"matches.{form}"
    ris("export", "matches", "--format", form, "-o", out)
    expected = sorted(m["derived_sha256"] for m in rows(ris("export", "matches")))
    if form == "parquet":
        found = pq.read_table(out).to_pylist()
    elif form == "csv":
        found = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    else:
        found = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(r["derived_sha256"] for r in found) == expected
    assert list(found[0]) == MATCHES
    assert [p.name for p in tmp_path.glob("*.part")] == []


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(
    ris: Ris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for given in (tmp_path / "none" / "x.csv", "none/x.csv"):
        said = ris("export", "matches", "-o", given, code=2).stderr
        assert said == f"ris: {given}: No such file or directory\n"


def test_exports_and_history_as_of_a_night(ris: Ris, folder: Path) -> None:
    ris("scan", folder)
    first = {what: rows(ris("export", what)) for what in ("matches", "families", "quarantine")}
    ris("decide", folder / "grey.jpg", folder / "photo.jpg", "not-copy", "--why", "no")
    (folder / "small.jpg").unlink()
    (folder / "broken.jpg").write_bytes((folder / "photo.jpg").read_bytes())
    ris("scan", folder)
    for what, then in first.items():
        assert rows(ris("export", what)) != then
        found = rows(ris("export", what, "--as-of", 1))
        # Last seen before then is not kept.
        ignored = ("last_seen_at",)
        strip = [{k: v for k, v in r.items() if k not in ignored} for r in found]
        assert strip == [{k: v for k, v in r.items() if k not in ignored} for r in then]
    assert rows(ris("export", "images", "--as-of", "2020-01-01")) == []
    now, then = (rows(ris("export", "images", *of)) for of in ((), ("--as-of", 1)))
    assert [Path(i["uri"]).name for i in now if i["gone_at"]] == ["small.jpg"]
    assert len(then) == len(now) and not any(i["gone_at"] for i in then)
    wrong = ris("export", "hits", "--as-of", 1, code=2).stderr
    assert wrong == "ris: --as-of is for matches, images, families, quarantine, not for hits\n"
    assert "there is no run 9" in ris("export", "matches", "--as-of", 9, code=1).stderr

    said = ris("history", folder / "broken.jpg").output
    assert re.search(r"UTC  appeared: .*broken.jpg: sha256", said)
    assert "in quarantine: not-an-image" in said and "changed: " in said
    gone = ris("history", folder / "small.jpg").output
    assert re.search(r"gone: .*small.jpg\n", gone) and "there: " not in gone
    assert "thumbnail: " in gone.partition("\nnow\n")[2]
    then = ris("history", folder / "small.jpg", "--as-of", 1).output
    assert "gone" not in then and "there: " in then
    found = json.loads(ris("history", folder / "grey.jpg", "--as-of", 2, "--json").stdout)
    assert [m["suppressed"] for m in found["matches"] if m["source_uri"].endswith("photo.jpg")] == [
        None,
        "reviewer",
    ]
    assert datetime.fromisoformat(found["matches"][0]["since"]).tzinfo is not None
    assert "no scan has seen 'x.jpg'" in ris("history", "x.jpg", code=1).stderr


def test_replay_says_whether_a_run_comes_out_as_it_was(
    ris: Ris, folder: Path, settings: Settings
) -> None:
    ris("scan", folder)
    said = ris("replay", 1).output
    matches, families, with_what = said.splitlines()
    assert re.fullmatch(r"run 1: \d+ rows, all as they were", matches)
    assert re.fullmatch(r"run 1: \d+ (family|families), all as they were", families)
    assert re.match(r"builtin-\d+, calibration \w+, provenance \w+, ", with_what)
    shutil.rmtree(settings.home / "previews")
    done = json.loads(ris("replay", 1, "--json", code=1).stdout)
    assert {c["what"] for c in done["differences"][0]["changes"]} >= {"evidence.previews"}
    assert "not as they were" in ris("replay", 1, code=1).output
    assert "there is no run 9" in ris("replay", 9, code=1).stderr


def test_runs_are_exported_with_what_they_ran_with(ris: Ris, folder: Path) -> None:
    ris("scan", folder)
    (run,) = rows(ris("export", "runs"))
    assert (run["run_id"], run["kind"], run["status"]) == (1, "scan", "done")
    assert run["settings"]["top_k"] == 50 and run["summary"]["images"]["seen"] == 5
    assert all(run[name] for name in ("model", "calibration", "config_hash", "code_version"))
    assert {m["run_id"] for m in rows(ris("export", "matches"))} == {1}


def test_a_bank_is_imported_listed_found_and_removed(
    ris: Ris, folder: Path, tmp_path: Path
) -> None:
    ris("scan", folder)
    file = tmp_path / "known.json"
    hashes = [pdq(luma(np.asarray(dict(photos())["coffee"])))[0].hex(), "ab" * 32, "nonsense"]
    file.write_text(json.dumps([{"pdq": h, "label": "=1+1"} for h in hashes]))
    said = ris("bank", "import", file).output
    assert "known: 2 hashes, 2 added\nleft out: 1 that cannot be used\n" in said
    assert "entry 3: 'nonsense' is not a PDQ hash" in said
    assert "2 hashes, as before" in ris("bank", "import", file, "--name", "known").output
    file.write_text(json.dumps([{"pdq": h, "label": "=1+1"} for h in hashes[::2]]))
    said = ris("bank", "import", file).output
    assert "known: 2 hashes, as before\nleft out: 1 that cannot be used\n" in said
    assert "kept 1 that the file does not list, for 1 of its entries cannot be used\n" in said
    file.write_text(f"# by us\nhash,quality,label\n{hashes[0]},50,=1+1\n{hashes[1]},3,x\n")
    said = ris("bank", "import", file).output
    assert "known: 1 hash, 1 removed\nleft out: 1 of quality below 50\n" in said
    assert "kept" not in said
    file.write_text(json.dumps([{"pdq": hashes[1], "should_delete": True}]))
    assert (
        "kept 1 that the file does not list, for it only withdraws"
        in ris("bank", "import", file).output
    )
    file.write_text(json.dumps([{"pdq": h, "label": "=1+1"} for h in hashes[:2]]))
    ris("bank", "import", file)
    (bank,) = json.loads(ris("bank", "list", "--json").stdout)
    assert (bank["name"], bank["hashes"], bank["file"]) == ("known", 2, "known.json")
    assert datetime.fromisoformat(bank["imported_at"]).tzinfo is not None
    assert "2 hashes" in ris("bank", "list").output

    summary = json.loads(ris("scan", folder, "--json").stdout)
    count = summary["known_hashes"]["known"]
    assert count["new"] == count["total"] >= 1
    assert re.search(r"known hashes +images +new\nknown +\d +\u2013", ris("scan", folder).output)
    found = rows(ris("export", "hits"))
    assert {tuple(h) for h in found} == {tuple(HITS)}
    assert {"photo.jpg", "z-again.jpg"} <= {Path(h["uri"]).name for h in found}
    assert {(h["bank"], h["label"], h["hash"]) for h in found} == {("known", "=1+1", hashes[0])}
    assert ",'=1+1," in ris("export", "hits", "--format", "csv").stdout

    assert ris("bank", "remove", "known").output == "bank known is removed\n"
    assert rows(ris("export", "hits")) == []
    assert "no banks" in ris("bank", "list").output
    assert "no bank 'known'" in ris("bank", "remove", "known", code=1).stderr


def test_a_hash_list_that_cannot_be_used_says_why(ris: Ris, folder: Path, tmp_path: Path) -> None:
    assert "no PDQ hash" in ris("bank", "import", folder / "broken.jpg", code=1).stderr
    assert "No such file" in ris("bank", "import", tmp_path / "none.csv", code=2).stderr
    assert "directory" in ris("bank", "import", folder, code=2).stderr


def test_search_finds_the_source_typed_and_writes_a_contact_sheet(
    ris: Ris, folder: Path, tmp_path: Path
) -> None:
    ris("scan", folder)
    query = tmp_path / "query.webp"
    query.write_bytes(edits.webp(edits.mirror(dict(photos())["coffee"])))
    sheet = tmp_path / "sheet.png"
    found = json.loads(ris("search", query, "--json", "-o", sheet).stdout)
    by_name = {Path(f["uri"]).name: f for f in found}
    assert by_name["photo.jpg"]["relation"] == "mirrored"
    assert by_name["photo.jpg"]["orientation"] == 2
    with Image.open(sheet) as picture:
        assert picture.format == "PNG" and picture.width > 500
    near = json.loads(ris("search", query, "--mode", "similar", "-k", 2, "--json").stdout)
    assert len(near) == 2 and near[0]["relation"] is None
    assert "mirrored" in ris("search", query).output


def test_search_knows_the_very_bytes_and_stores_nothing(ris: Ris, folder: Path) -> None:
    ris("scan", folder)
    before = ris("export", "images").stdout
    (first, *_) = json.loads(ris("search", folder / "photo.jpg", "--json").stdout)
    assert (first["relation"], first["query_is"]) == ("identical", "same")
    assert ris("export", "images").stdout == before


def test_search_for_a_broken_file_says_why(ris: Ris, folder: Path) -> None:
    assert "not-an-image" in ris("search", folder / "broken.jpg", code=1).output


def test_explain_says_why_and_where_the_picture_is(
    ris: Ris,
    folder: Path,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ris("scan", folder)
    monkeypatch.chdir(tmp_path)
    said = ris("explain", folder / "small.jpg", uri_of(folder / "photo.jpg")).output
    for word in ("thumbnail", "resolution", "agreement", "as the features above give it"):
        assert word in said
    default = settings.home / "reports" / "explain.png"
    assert re.search(rf"^picture +{re.escape(str(default))}$", said, re.MULTILINE)
    out = tmp_path / "pair.png"
    found = json.loads(
        ris("explain", "photos/grey.jpg", "photos/photo.jpg", "--json", "-o", out).stdout
    )
    assert (found["outcome"], found["picture"]) == ("match", str(out))
    assert found["rederived"] is True
    for path in (default, out):
        with Image.open(path) as picture:
            assert (picture.format, picture.width) == ("PNG", 1200)
    same = json.loads(ris("explain", "photos/photo.jpg", "photos/z-again.jpg", "--json").stdout)
    assert same["outcome"] == "identical"
    assert sorted(tmp_path.glob("*.png")) == [out]
    assert not list(folder.glob("*.png"))


def test_explain_of_what_was_never_scanned_writes_nothing(
    ris: Ris, folder: Path, tmp_path: Path
) -> None:
    ris("scan", folder)
    out = tmp_path / "pair.png"
    said = ris("explain", folder / "photo.jpg", "other.jpg", "-o", out, code=1).stderr
    assert said.startswith("ris: no scan has seen 'other.jpg'; `ris scan`")
    assert (
        "quarantine" in ris("explain", folder / "photo.jpg", folder / "broken.jpg", code=1).stderr
    )
    assert not out.exists()


def test_a_decision_counts_and_is_explained(
    ris: Ris, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ris("scan", folder)
    monkeypatch.chdir(tmp_path)
    pair = ("photos/small.jpg", uri_of(folder / "photo.jpg"))
    said = ris("decide", *pair, "not-copy", "--why", "another cup", "--by", "Ada").output
    assert (
        said
        == "not-copy, by Ada\nit is suppressed: reviewer (before: it counted)\n1 pair changed\n"
    )
    (match,) = (m for m in rows(ris("export", "matches")) if m["relation"] == "thumbnail")
    assert match["suppressed"] == "reviewer"
    assert "Ada decided: not-copy, because: another cup" in ris("explain", *pair).output
    done = json.loads(ris("decide", *pair, "copy", "--why", "no", "--json").stdout)
    assert (done["before"], done["suppressed"], done["changed"]) == ("reviewer", None, 1)
    standing = json.loads(ris("explain", *pair, "--json").stdout)["standing"]
    decided = standing["decided"]
    assert (decided["answer"], decided["why"], standing["reason"]) == ("copy", "no", None)
    assert datetime.fromisoformat(decided["at"]).tzinfo is not None
    wrong = ris("decide", *pair[:1], "photos/z.jpg", "copy", "--why", "so", code=1).stderr
    assert wrong.startswith("ris: no scan has seen 'photos/z.jpg'; `ris scan`")
    assert "--why must be" in ris("decide", *pair, "copy", "--why", " ", code=2).stderr
    ris("decide", *pair, "perhaps", "--why", "so", code=2)


def test_a_source_is_decided_on(ris: Ris, folder: Path) -> None:
    ris("scan", folder)
    photo, small = folder / "photo.jpg", folder / "small.jpg"
    said = ris("decide-source", photo, small, "--why", "the print", "--by", "Ada").output
    assert said == (f"source, by Ada\nthe source is {uri_of(small)} (before: {uri_of(photo)})\n")
    (family,) = rows(ris("export", "families"))
    assert (family["source_uri"], family["confidence"]) == (uri_of(small), 1)
    assert family["reasons"] == ["for: Ada decided so: the print"]
    done = json.loads(
        ris("decide-source", photo, "undetermined", "--why", "who knows", "--json").stdout
    )
    assert (done["before"], done["now"]) == (uri_of(small), None)
    ris("decide-source", photo, folder / "z.jpg", "--why", "so", code=1)


def test_a_template_is_added_listed_and_removed(ris: Ris, folder: Path) -> None:
    ris("scan", folder)
    assert "no templates; `ris template add IMAGE`" in ris("template", "list").output
    photo, uri = folder / "photo.jpg", uri_of(folder / "photo.jpg")
    added = ris("template", "add", photo, "--note", "a cup", "--by", "Ada").output
    # Its thumbnail shows the same, so only the greyscale copies are in doubt now.
    assert added == f"{uri} is a template now\n2 pairs changed\n"
    again = ris("template", "add", photo).output
    assert again == f"{uri} is a template already\nno pair changed\n"
    (found,) = json.loads(ris("template", "list", "--json").stdout)
    assert (found["uri"], found["note"], found["who"]) == (uri, "a cup", "Ada")
    assert datetime.fromisoformat(found["marked_at"]).tzinfo is not None
    assert re.search(r"photo.jpg\n +\d{4}-.* UTC, Ada: a cup", ris("template", "list").output)
    removed = ris("template", "remove", photo).output
    assert removed == f"{uri} is a template no more\n2 pairs changed\n"
    assert "is no template" in ris("template", "remove", photo, code=1).stderr


def test_the_report_can_be_written_again(ris: Ris, folder: Path, tmp_path: Path) -> None:
    ris("scan", folder)
    out = tmp_path / "r.html"
    assert ris("report", "-o", out).output.strip() == str(out)
    page = out.read_text("utf-8")
    assert "small.jpg" in page and "thumbnail" in page
    (run,) = rows(ris("export", "runs"))
    assert all(run[name] in page for name in ("model", "calibration", "config_hash"))
    assert "no run 77" in ris("report", "--run", 77, code=1).output


def test_index_check_and_rebuild(ris: Ris, folder: Path, settings: Settings) -> None:
    ris("scan", folder)
    assert ris("index", "check").output.startswith("3 images indexed, 0 missing")
    shutil.rmtree(settings.home / "milvus.db")
    assert ris("index", "rebuild").output == "3 images indexed\n"


def test_doctor_is_content_with_the_embedded_default(ris: Ris) -> None:
    checks = json.loads(ris("doctor", "--json").stdout)
    assert [c["part"] for c in checks if c["problem"]] == []


def test_doctor_names_what_is_wrong(ris: Ris, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIS_MILVUS_URI", "http://127.0.0.1:1")
    assert "RIS_MILVUS_URI" in ris("doctor", code=1).output


def test_doctor_says_where_the_disk_is_nearly_full(
    ris: Ris, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ris_jobs.store.home._LOW_BYTES", 1e18)
    (wrong,) = (c for c in json.loads(ris("doctor", "--json", code=1).stdout) if c["problem"])
    assert wrong["part"] == "disk"
    assert f"GB are free in {settings.home}: `ris status` says" in wrong["problem"]


def test_certificates_that_cannot_be_read_are_refused_before_an_image_is_decoded(
    ris: Ris, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchors = tmp_path / "anchors.pem"
    anchors.write_text("no certificate")
    monkeypatch.setenv("RIS_C2PA_ANCHORS", str(anchors))
    assert "RIS_C2PA_ANCHORS must be certificates" in ris("scan", folder, code=2).output
    assert "RIS_C2PA_ANCHORS must be certificates" in " ".join(ris("doctor", code=1).output.split())
    anchors.write_text(Authority().anchors)
    assert f"1 in {anchors}" in "".join(ris("doctor", "--json").output)
    ris("scan", folder)
    assert ris("index", "check").output.startswith("3 images indexed, 0 missing")


def test_doctor_says_when_the_index_is_another_than_is_set(
    ris: Ris, monkeypatch: pytest.MonkeyPatch
) -> None:
    ris("index", "rebuild")
    monkeypatch.setenv("RIS_INDEX", "HNSW")
    said = " ".join(ris("doctor", code=1).output.split())
    assert "is FLAT, and RIS_INDEX asks for HNSW" in said
    assert "`ris index rebuild` makes it so" in said
    ris("index", "rebuild")
    assert "(HNSW)" in ris("doctor").output


def test_an_index_that_milvus_lite_lacks_is_refused(
    ris: Ris, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIS_INDEX", "DISKANN")
    said = ris("index", "rebuild", code=2).output
    assert "RIS_INDEX is DISKANN, which Milvus Lite does not have: it has FLAT, HNSW" in said


def test_plan_gives_each_figure_with_its_formula(ris: Ris) -> None:
    asked = ("plan", "--images", "100_000_000", "--per-night", "2_000_000", "--index", "HNSW_SQ")
    said = ris(*asked).output
    assert "vectors × (dim + 8 M)" in " ".join(said.split())
    made = json.loads(ris(*asked, "--nodes", 4, "--regions", "0+0", "--json").stdout)
    figures = {figure["name"]: figure for figure in made["figures"]}
    assert figures["vectors"]["value"] == 200_000_000
    assert figures["job nodes"]["value"] == 4
    known = {constant["name"] for constant in made["constants"]}
    assert {name for figure in made["figures"] for name in figure["constants"]} == known
    assert "such as 5+10" in ris(*asked, "--regions", "9+9", code=2).output
    assert "cannot be more" in ris("plan", "--images", 10, "--per-night", 11, code=2).output


def test_config_show_masks_secrets(ris: Ris, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql+psycopg2://me:hush@db/ris?password=hush")
    monkeypatch.setenv("RIS_MILVUS_TOKEN", "hush")
    monkeypatch.setenv("RIS_PREVIEWS_URL", "s3://key:hush@bucket/x")
    for arguments in (("config", "show"), ("config", "show", "--json")):
        said = ris(*arguments).output
        assert "hush" not in said
        assert "***" in said


WRONG = {
    "RIS_TOP_K=many": "RIS_TOP_K must be a whole number",
    "RIS_HUB_LIMIT=0": "RIS_HUB_LIMIT must be between 1 and 1000000",
    "RIS_TOP_K=0": "RIS_TOP_K must be between 1 and 1000",
    "RIS_MIN_COSINE=nan": "RIS_MIN_COSINE must be between -1 and 1",
    "RIS_MODEL=nosuch": "RIS_MODEL must be one of builtin, resnet50, sscd",
    "RIS_TRUNCATED=maybe": "RIS_TRUNCATED must be reject or accept",
    "RIS_DATABASE_URL=mysql://x/y": "RIS_DATABASE_URL must start with postgresql",
    "RIS_DATABASE_URL=postgresql://u:p@127.0.0.1:1/x": "PostgreSQL at postgresql://***@127",
    "RIS_MILVUS_URI=milvus": "RIS_MILVUS_URI must start with http",
    "RIS_MILVUS_URI=http://127.0.0.1:1": "Milvus at http://127.0.0.1:1 cannot be used",
    "RIS_PREVIEWS_URL=nosuch://x": "preview store at nosuch://x cannot be used",
    "RIS_TOPK=5": "RIS_TOPK is not a setting",
}


@pytest.mark.parametrize("assignment", WRONG)
def test_a_wrong_setting_or_server_is_one_sentence_and_exit_2(
    ris: Ris, folder: Path, monkeypatch: pytest.MonkeyPatch, assignment: str
) -> None:
    monkeypatch.setenv(*assignment.split("=", 1))
    said = ris("scan", folder, code=2).stderr
    assert WRONG[assignment] in said
    assert said.startswith("ris: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("/no/such/folder", "does not exist"),
        ("https://example.org/", "RIS_CONTACT must be set"),
        ("s3://bucket/", "`ris source add NAME objects URL`"),
        ("file://host", "is not a file:// URI"),
    ],
)
def test_a_source_that_cannot_be_scanned(ris: Ris, source: str, problem: str) -> None:
    assert problem in ris("scan", source, code=2).stderr


def test_a_file_uri_and_a_single_file_can_be_scanned(ris: Ris, folder: Path) -> None:
    summary = json.loads(ris("scan", uri_of(folder / "photo.jpg"), "--json").stdout)
    assert summary["images"]["seen"] == 1


def test_nothing_scanned_yet_is_said(ris: Ris) -> None:
    assert "no scan has finished yet" in ris("report", code=1).output
    assert ris("export", "matches").stdout == ""


def test_demo_refuses_a_folder_with_something_in_it(ris: Ris, folder: Path, tmp_path: Path) -> None:
    assert "is not empty" in ris("demo", folder, code=2).output
    assert re.fullmatch(
        r"7 photos and 70 copies of them in .*\n", ris("demo", tmp_path / "d").output
    )


def test_what_lists_loads_nothing_that_it_does_not_need(database_url: str, tmp_path: Path) -> None:
    listed = "main(['source', 'list'], standalone_mode=False)"
    program = f"import sys; from ris_jobs.cli import main; {listed}; print(*sys.modules)"
    own = {"RIS_DATABASE_URL": database_url, "RIS_HOME": str(tmp_path)}
    command, env = [sys.executable, "-c", program], {**os.environ, **own}
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    loaded = set(done.stdout.split())
    assert "sqlalchemy" in loaded
    assert loaded.isdisjoint({"alembic", "pyarrow", "scipy", "torch", "towhee"})


def test_help_names_every_command() -> None:
    said = CliRunner().invoke(main, ["--help"]).output
    assert set(main.commands) <= set(re.findall(r"^  ([\w-]+) ", said, re.MULTILINE))
