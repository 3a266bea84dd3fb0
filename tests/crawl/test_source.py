"""Sources are checked when they are made, and survive being written down."""

from __future__ import annotations

from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl.declared import as_declared, read_file, source_of
from ris_jobs.crawl.source import Limits, Politeness, Source
from ris_jobs.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "docs" / "sources.yaml"
WEB = {"kind": "web", "location": "https://example.com/"}

WRONG: dict[str, dict[str, Any]] = {
    "kind": {"kind": "ftp"},
    "location": {"location": "ftp://example.com/"},
    "include": {"include": [""]},
    "tags": {"tags": ["a,b"]},
    "schedule": {"schedule": "61 * * * *"},
    "credentials": {"credentials": "hunter2"},
    "limits.pages": {"limits": {"pages": 0}},
    "limits.depth": {"limits": {"depth": -1}},
    "limits: bytes": {"limits": {"bytes": "many"}},
    "limits: images": {"limits": {"images": True}},
    "limits: page": {"limits": {"page": 3}},
    "politeness": {"politeness": 3},
    "politeness.delay": {"politeness": {"delay": -1}},
    "politeness.per_host": {"politeness": {"per_host": 0}},
    "politeness.contact": {"politeness": {"contact": "me"}},
    "politeness: window": {"politeness": {"window": "late"}},
    "politeness.window": {"politeness": {"window": "06:00-06:00"}},
    "politeness: allowed": {"politeness": {"allowed": ["10.0.0.1/8"]}},
    "politeness.ports": {"politeness": {"ports": [0]}},
    "politeness: robots": {"politeness": {"robots": "no"}},
    "frequency": {"frequency": 3},
}


@pytest.mark.parametrize(("field", "values"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_source(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        source_of("press", WEB | values)
    assert str(caught.value).startswith(f"source 'press': {field} ")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("window", ["22:00Z-06:00", "22:00-06:00+02:00", "22:00+02:00-06:00+02:00"])
def test_a_window_has_no_offset(window: str) -> None:
    with pytest.raises(ConfigError, match="window must be in UTC, without an offset"):
        source_of("press", WEB | {"politeness": {"window": window}})


@pytest.mark.parametrize("name", ["", "Press", "-press", "a/b", "x" * 64, "pr ess"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(ConfigError, match="name must be"):
        source_of(name, WEB)


@pytest.mark.parametrize(
    ("kind", "location", "good"),
    [
        ("directory", "/srv/photos", True),
        ("directory", "photos", False),
        ("objects", "s3://bucket/a folder", True),
        ("objects", "https://example.com/", False),
        ("objects", "simplecache::http://example.com/", False),
        ("objects", "file:///srv", False),
        ("objects", "s3://key:secret@bucket/", False),
        ("urls", "/srv/list.csv", True),
        ("urls", "gs://bucket/list.parquet", True),
        ("urls", "https://example.com/list.csv", True),
        ("urls", "https://127.1/list.csv", False),
        ("urls", "list.csv", False),
        ("urls", "file://data/list.csv", False),
        ("urls", "FILE:///data/list.csv", False),
        ("urls", "file:///data/%00.csv", False),
        ("web", "http://example.com/feed.xml", True),
        ("web", "http://me:secret@example.com/", False),
        ("web", "file:///etc/passwd", False),
        ("web", "http://0x7f000001/", False),
    ],
)
def test_each_kind_has_its_locations(kind: str, location: str, good: bool) -> None:
    if good:
        assert source_of("a", {"kind": kind, "location": location}).location == location
    else:
        with pytest.raises(ConfigError, match="source 'a': location") as caught:
            source_of("a", {"kind": kind, "location": location})
        assert "secret@" not in str(caught.value)


def test_patterns_are_for_whole_uris_and_exclude_wins() -> None:
    source = source_of("a", WEB | {"include": ["*/press/*", "*.png"], "exclude": ["*draft*"]})
    assert source.takes("https://example.com/press/a.jpg")
    assert source.takes("https://example.com/b.png")
    assert not source.takes("https://example.com/b.jpg")
    assert not source.takes("https://example.com/press/draft.png")


positive = st.integers(1, 10**12)
SOURCES = st.builds(
    Source,
    name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,62}", fullmatch=True),
    kind=st.just("web"),
    location=st.just("https://example.com/"),
    include=st.lists(st.text(min_size=1), max_size=3).map(tuple),
    tags=st.lists(st.from_regex("[a-z]{1,9}", fullmatch=True), max_size=3).map(tuple),
    schedule=st.sampled_from([None, "0 1 * * *"]),
    credentials=st.sampled_from([None, "env:TOKEN", "airflow:press"]),
    limits=st.builds(
        Limits,
        images=st.none() | positive,
        pages=st.none() | positive,
        depth=st.integers(0, 1000),
        seconds=st.none() | st.floats(0.1, 1e6),
    ),
    politeness=st.builds(
        Politeness,
        contact=st.sampled_from([None, "me@example.org"]),
        delay=st.floats(0, 3600),
        robots=st.booleans(),
        window=st.sampled_from([None, (time(22), time(6, 30))]),
        allowed=st.sampled_from([(), (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))]),
        ports=st.frozensets(st.integers(1, 65535), min_size=1, max_size=3),
    ),
)


@given(SOURCES)
def test_a_source_that_is_declared_and_read_is_the_same(source: Source) -> None:
    declared = yaml.safe_load(yaml.safe_dump(as_declared(source)))
    assert source_of(source.name, declared) == source


def test_the_example_says_all_there_is() -> None:
    sources = read_file(EXAMPLE.read_text("utf-8"), "sources.yaml")
    assert sorted(s.kind for s in sources.values()) == ["directory", "objects", "urls", "web"]
    text = EXAMPLE.read_text("utf-8")
    for kind in (Source, Limits, Politeness):
        for field in kind.__dataclass_fields__:
            assert field == "name" or f"{field}:" in text, field


@pytest.mark.parametrize(
    "text", ["", "[]", "sources: [a]", "sources: {a: 3}", "a: b: c", "other: {}", "[" * 5000]
)
def test_what_is_no_file_of_sources_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read_file(text, "sources.yaml")
