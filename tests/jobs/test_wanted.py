"""Which sources may be crawled at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ris_jobs import jobs
from ris_jobs.crawl.source import Source


def site(name: str, location: str) -> Source:
    return Source(name=name, kind="web", location=location)


def test_websites_and_lists_of_one_host_are_crawled_one_after_the_other() -> None:
    found = [
        site("a", "https://example.com/news"),
        Source(name="folder", kind="directory", location="/photos"),
        site("b", "http://www.example.com/"),
        site("c", "https://images.example.com/"),
        Source(name="list", kind="urls", location="https://example.com/list.csv"),
        Source(name="stored", kind="urls", location="s3://example.com/list.csv"),
    ]
    assert jobs.side_by_side(found, 10) == [["a", "b", "list"], ["folder"], ["c"], ["stored"]]
    assert jobs.side_by_side([], 10) == []


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 8))
def test_all_are_in_one_group_and_none_is_split(hosts: list[int], most: int) -> None:
    found = [site(f"s{i}", f"https://host{host}.example/{i}") for i, host in enumerate(hosts)]
    groups = jobs.side_by_side(found, most)
    assert sorted(name for group in groups for name in group) == sorted(s.name for s in found)
    assert len(groups) == min(most, len(set(hosts)))
    of = {name: number for number, group in enumerate(groups) for name in group}
    assert all(
        of[one.name] == of[other.name]
        for one, host in zip(found, hosts, strict=True)
        for other, its in zip(found, hosts, strict=True)
        if host == its
    )
