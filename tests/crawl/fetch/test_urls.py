"""URLs that mean one thing are read; all others are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl.fetch.urls import join, masked, parse
from ris_jobs.errors import UrlRefused


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTPS://Example.ORG:443/A?b=C#d", "https://example.org/A?b=C"),
        ("http://example.org.:8080/x", "http://example.org:8080/x"),
        ("http://bücher.example/ü?q=ü", "http://xn--bcher-kva.example/%C3%BC?q=%C3%BC"),
        ("http://example.org/caf\udce9", "http://example.org/caf%E9"),
        ("http://a_b.example/%2F%zz", "http://a_b.example/%2F%zz"),
        ("http://127.0.0.1./x:", "http://127.0.0.1/x:"),
        ("http://8.8.8.8/x", "http://8.8.8.8/x"),
        ("http://[2001:DB8:0::1]:81/", "http://[2001:db8::1]:81/"),
        ("http://[::ffff:7f00:1]/", "http://[::ffff:127.0.0.1]/"),
        ("http://１２７.０.０.１/", "http://127.0.0.1/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("http://ⓔxample.org/", "http://example.org/"),
        ("http://example.org?x=/../", "http://example.org/?x=/../"),
    ],
)
def test_a_url_has_one_reading(url: str, read: str) -> None:
    assert parse(url).url.replace("::ffff:7f00:1", "::ffff:127.0.0.1") == read


REFUSED = [
    "", "/x", "example.org", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
    "data:image/png;base64,AAAA", "javascript:alert(1)", "http:/example.org", "http:example.org",
    "http://", "http:///x", "http://:80/", "http://user@example.org/", "http://a:b@example.org/",
    "http://example.org@127.0.0.1/", "http://example.org:80@127.0.0.1/", "http://exa mple.org/",
    "http://example.org\\@127.0.0.1/", "http://example.org/\r\nHost: x", "http://example.org/\t",
    "http://example.org:99999/", "http://example.org:0/", "http://example.org:x/",
    "http://%31%32%37.0.0.1/", "http://127.0.0.1%2f@x/", "http://a..b/", "http://-a.example/",
    "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://0x7f.0.0.1/",
    "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/", "http://0/",
    "http://1.2.3.4.5/", "http://256.1.1.1/", "http://127.0.0.0x1/", "http://[::1/", "http://[x]/",
    "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1]x/", "http://exa%00mple.org/",
    "http://例え.-/", "http://caf\udce9.example/",
    "http://example.org/\ud800", "http://a." + "b" * 64 + "/", "http://example.org/" + "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:pw@h/x.jpg", "http://***@h/x.jpg"),
        (" HTTPS://u:p@w@h:80/a@b", " HTTPS://***@h:80/a@b"),
        ("//u:pw@h/x", "//***@h/x"),
        ("http:\\\\u:pw@h\\x", "http:\\\\***@h\\x"),
        ("http://h/a@2x.jpg", "http://h/a@2x.jpg"),
        ("http://h?a=b@c", "http://h?a=b@c"),
        ("a@2x.jpg", "a@2x.jpg"),
    ],
)
def test_what_is_refused_is_shown_without_a_password(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize("url", REFUSED)
def test_what_could_be_read_otherwise_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        parse(url)
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/b", "http://example.org/b"),
        ("b c?d", "http://example.org/a/b%20c?d"),
        (" //other.example/x\n", "http://other.example/x"),
        ("https://example.org/x", "https://example.org/x"),
        ("?q", "http://example.org/a/x?q"),
        ("", "http://example.org/a/x"),
    ],
)
def test_redirects_are_relative_to_where_they_are(location: str, leads: str) -> None:
    assert join(parse("http://example.org/a/x"), location).url == leads


@pytest.mark.parametrize("location", ["file:///etc/passwd", "//[", "//a@b/", "\\\\host\\x"])
def test_redirects_that_are_refused(location: str) -> None:
    with pytest.raises(UrlRefused):
        join(parse("http://example.org/"), location)


@given(st.text(st.characters()))
def test_anything_is_read_or_refused_and_reading_again_changes_nothing(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.org/{text}"):
        try:
            target = parse(url)
        except UrlRefused:
            continue
        assert parse(target.url) == target and target.url.isascii()
