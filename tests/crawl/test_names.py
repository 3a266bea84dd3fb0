"""Names are listed in their order, from behind any of them, and folders when their turn comes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl import names

PART = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=3)
TREES = st.sets(st.lists(PART | st.sampled_from(["a", "a-", "a0", "b"]), min_size=1, max_size=4)
                .map("/".join), max_size=12)  # fmt: skip


@given(TREES, st.text(max_size=4))
def test_whatever_the_names_they_come_in_order_and_go_on(tree: set[str], elsewhere: str) -> None:
    tree = {name for name in tree if not {".", ".."} & set(name.split("/"))}
    files = sorted(n for n in tree if not any(other.startswith(n + "/") for other in tree))
    fs = fsspec.filesystem("memory", skip_instance_cache=True)
    fs.store.clear()
    fs.pseudo_dirs[:] = ["", "/in"]
    for name in files:
        fs.store[f"/in/{name}"] = fsspec.implementations.memory.MemoryFile(fs, f"/in/{name}", b"x")
    assert [e.name for e in names.below(fs, "/in")] == files
    for after in (*files, elsewhere):
        assert [e.name for e in names.below(fs, "/in", after)] == [n for n in files if n > after]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """40 folders of 250 files."""
    for folder in range(40):
        (tmp_path / f"{folder:02}").mkdir()
        for file in range(250):
            (tmp_path / f"{folder:02}" / f"{file:03}.jpg").touch()
    return tmp_path


def test_a_listing_holds_one_folder_at_a_time(tree: Path) -> None:
    fs = fsspec.filesystem("file")
    sum(1 for _ in names.below(fs, str(tree / "00")))  # what is loaded once does not count
    peaks = []
    for place in (tree / "00", tree):
        tracemalloc.start()
        listed = sum(1 for _ in names.below(fs, str(place)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert listed == 10_000
    assert peaks[1] < 1.5 * peaks[0]


def test_a_listing_that_goes_on_passes_over_folders_it_has_seen(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs = fsspec.filesystem("file")
    asked: list[str] = []
    real = fs.ls

    def ls(path: str, **options: Any) -> Any:
        asked.append(path)
        return real(path, **options)

    monkeypatch.setattr(fs, "ls", ls)
    left = [e.name for e in names.below(fs, str(tree), "38/200.jpg")]
    assert (left[0], len(left)) == ("38/201.jpg", 299)
    assert asked == [str(tree), f"{tree}/38", f"{tree}/39"]


class Pages:
    """The listing of Google Cloud Storage as its API says it is: so many names a page, from
    ``startOffset`` on, and a token where there are more."""

    protocol = ("gs", "gcs")

    def __init__(self, names: list[str]) -> None:
        self.names = sorted(names)
        self.asked: list[dict[str, Any]] = []

    def call(self, method: str, path: str, bucket: str, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        first = max(asked.get("startOffset", ""), asked.get("pageToken", ""))
        left = [n for n in self.names if n.startswith(asked["prefix"]) and n >= first]
        page, more = left[: asked["maxResults"]], left[asked["maxResults"] :]
        token = {"nextPageToken": more[0]} if more else {}
        return {"items": [{"name": n, "size": "7", "etag": "x"} for n in page], **token}


def test_google_cloud_storage_is_asked_for_the_pages_that_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(names, "_PAGE", 2)
    shown = ["a-b/1", "a/", "a/2", "a//3", "a0/4", "b/5"]
    fs = Pages([f"in/{name}" for name in shown] + ["other/x"])
    expected = sorted(set(shown) - {"a/"})
    assert [e.name for e in names.below(fs, "bucket/in")] == expected
    assert [len(fs.asked), fs.asked[0]["prefix"]] == [3, "in/"]
    for i, after in enumerate(expected):
        found = list(names.below(fs, "bucket/in", after))
        assert [e.name for e in found] == expected[i + 1 :]
        assert all((e.size, e.tag) == (7, "x") for e in found)
    fs.asked.clear()
    assert list(names.below(fs, "bucket/in", "b/5")) == []
    assert len(fs.asked) == 1


class Truncated:
    """An S3 whose pages are all empty, and never the last."""

    protocol = ("s3", "s3a")

    def __init__(self, *tokens: str | None) -> None:
        self.tokens = list(tokens)

    def call_s3(self, method: str, **asked: Any) -> dict[str, Any]:
        token = self.tokens.pop(0)
        return {"IsTruncated": True} | ({"NextContinuationToken": token} if token else {})


@pytest.mark.parametrize("tokens", [(None,), ("a", "b", "b")])
def test_pages_that_lead_nowhere_are_an_error(tokens: tuple[str | None, ...]) -> None:
    fs = Truncated(*tokens)
    with pytest.raises(OSError, match="does not end"):
        list(names.below(fs, "bucket/in"))
    assert fs.tokens == []


def test_pages_of_s3_may_be_empty() -> None:
    class Last(Truncated):
        def call_s3(self, method: str, **asked: Any) -> dict[str, Any]:
            if asked.get("ContinuationToken") == "b":
                return {"Contents": [{"Key": "in/x", "Size": 7, "ETag": "t"}]}
            return super().call_s3(method, **asked)

    assert [e.name for e in names.below(Last("a", "b"), "bucket/in")] == ["x"]


@pytest.mark.parametrize("store", ["s3", "gs", "folders"])
def test_a_listing_that_is_to_go_on_no_more_asks_for_nothing_more(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it has found nothing so far: none of these has a name that is listed."""
    asked: list[str] = []
    monkeypatch.setattr(names, "_PAGE", 1)

    class Folders(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
        def ls(self, path: str, **options: Any) -> Any:
            asked.append(path)
            return super().ls(path, **options)

    for i in range(9):
        (tmp_path / str(i)).mkdir()
    pages = Pages([f"in/{i}/" for i in range(9)])
    fs, base, questions = {
        "s3": (
            truncated := Truncated(*"abcdefghi"),
            "bucket/in",
            lambda: 9 - len(truncated.tokens),
        ),
        "gs": (pages, "bucket/in", lambda: len(pages.asked)),
        "folders": (Folders(), str(tmp_path), lambda: len(asked)),
    }[store]
    going = iter([True, True, True, False])
    assert list(names.below(fs, base, going=going.__next__)) == []
    assert 3 <= questions() <= 4


def test_a_tree_without_end_has_one(tmp_path: Path) -> None:
    class Endless(fsspec.AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
        def ls(self, path: str, detail: bool = True, **_: Any) -> list[dict[str, Any]]:
            return [{"name": f"{path}/again", "type": "directory", "size": 0}]

    (entry,) = names.below(Endless(), "/in")
    assert entry.problem == "its name is longer than 2,000 characters"
