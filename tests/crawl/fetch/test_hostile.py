"""What servers may do with a connection: each ends soon, as a value, in little memory."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ris_jobs.crawl.fetch import (
    Failed,
    Fetched,
    Gone,
    Headers,
    Known,
    NotModified,
    Outcome,
    Policy,
    Refused,
)
from ris_jobs.crawl.fetch.fetcher import Fetcher
from ris_jobs.crawl.fetch.headers import seconds_to_wait
from ris_jobs.errors import ConfigError, Reason
from tests.crawl.fetch.site import (
    Page,
    again,
    chunked,
    fetch,
    picture,
    redirect,
    response,
    served,
    start,
    then,
)

PICTURE = picture()
NOISE = os.urandom(1 << 16)


def failed(page: Page, reason: Reason = Reason.BAD_RESPONSE, **policy: Any) -> Failed:
    outcome, _ = fetch(page, policy=policy)
    assert isinstance(outcome, Failed), outcome
    assert outcome.reason is reason, outcome
    assert outcome.detail.isprintable()
    return outcome


def refused(page: Page, reason: Reason, **policy: Any) -> Refused:
    outcome, _ = fetch(page, policy=policy)
    assert isinstance(outcome, Refused), outcome
    assert outcome.reason is reason, outcome
    return outcome


def fetched(page: Page, **how: Any) -> tuple[Fetched, bytes]:
    outcome, body = fetch(page, **how)
    assert isinstance(outcome, Fetched), outcome
    assert (outcome.size, outcome.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    return outcome, body


# What should work


def test_a_picture_comes_with_the_headers_that_matter() -> None:
    sent = {"ETag": '"a"', "Last_Modified": "yesterday", "X_Robots_Tag": "noai", "X_Other": "x"}
    outcome, body = fetched(response(PICTURE, **sent))
    assert body == PICTURE and outcome.status == 200 and outcome.redirects == ()
    wanted = Headers(etag='"a"', last_modified="yesterday", x_robots_tag="noai")
    assert outcome.headers == wanted


def test_headers_of_one_name_are_taken_together_and_odd_ones_not_at_all() -> None:
    page = response(PICTURE, X_Robots_Tag="noai\r\nX-Robots-Tag: noindex", ETag="x" * 2000)
    headers = fetched(page)[0].headers
    assert (headers.x_robots_tag, headers.etag) == ("noai, noindex", None)
    assert fetched(response(PICTURE, ETag='"é"'))[0].headers.etag is None


def test_requests_are_honest_and_conditional() -> None:
    async def run() -> tuple[Outcome, dict[str, str]]:
        async with served({"/": response(b"", "304 Not Modified", ETag='"a"')}) as site:
            async with Fetcher(site.policy()) as fetcher:
                known = Known(etag='"a"', last_modified="Tue, 03 Nov 2026 10:00:00 GMT")
                outcome = await fetcher.fetch(site.url("/"), io.BytesIO(), known=known)
            return outcome, site.log[0][1]

    outcome, sent = asyncio.run(run())
    assert isinstance(outcome, NotModified) and outcome.headers.etag == '"a"'
    assert sent["If-None-Match"] == '"a"' and sent["If-Modified-Since"].endswith("10:00:00 GMT")
    assert "ris-jobs/" in sent["User-Agent"] and "(+crawl@example.org)" in sent["User-Agent"]
    assert sent["Accept-Encoding"] == "gzip, deflate"


def test_what_is_known_of_a_url_goes_to_no_other() -> None:
    async def run() -> tuple[Outcome, dict[str, str]]:
        pages = {"/": redirect("/to"), "/to": response(b"", "304 Not Modified")}
        async with served(pages) as site:
            async with Fetcher(site.policy()) as fetcher:
                outcome = await fetcher.fetch(
                    site.url("/"), io.BytesIO(), known=Known(etag='"a"', last_modified="yesterday")
                )
            return outcome, site.log[1][1]

    outcome, sent = asyncio.run(run())
    assert isinstance(outcome, Failed)
    assert not {"If-None-Match", "If-Modified-Since"} & set(sent)


@pytest.mark.parametrize("contact", ["", "me", "a b@example.org", "x@example.org\r\nHost: y"])
def test_a_contact_must_be_one(contact: str) -> None:
    with pytest.raises(ConfigError, match="contact"):
        Policy(contact=contact)


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_gone_is_a_value(status: str) -> None:
    outcome, _ = fetch(response(b"nothing", status))
    assert isinstance(outcome, Gone) and outcome.status == int(status[:3])


@pytest.mark.parametrize("status", ["304 x", "204 x", "206 x", "300 x", "302 x", "403 x", "500 x"])
def test_other_statuses_fail(status: str) -> None:
    page = response(b"", status, **({"Retry_After": "9"}))
    outcome = failed(page, Reason.HTTP_STATUS)
    assert (outcome.status, outcome.retry_after) == (int(status[:3]), 9)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Wed, 25 Nov 2026 00:01:00 GMT", 60),
        ("Tue, 24 Nov 2026 00:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
        (None, None),
    ],
)
def test_how_long_to_wait(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header, datetime(2026, 11, 25, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:])),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("identity", bytes),
    ],
)
def test_bodies_are_decoded(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    assert fetched(response(encode(PICTURE), Content_Encoding=encoding))[1] == PICTURE
    long = PICTURE + NOISE * 3 + bytes(1 << 20) + NOISE
    assert fetched(response(encode(long), Content_Encoding=encoding))[1] == long


def test_chunks_and_bodies_without_a_length_come_whole() -> None:
    pieces = [PICTURE[i : i + 50] for i in range(0, len(PICTURE), 50)]
    head = start(Transfer_Encoding="chunked")
    assert fetched(head + chunked([*pieces, b""]) + b"\r\n")[1] == PICTURE

    async def page(write: Any) -> None:
        await write(start() + PICTURE)

    assert fetched(page)[1] == PICTURE


def test_pages_come_too_when_they_are_asked_for() -> None:
    assert fetched(response(b"<html>"), is_image=False)[1] == b"<html>"


# Content


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><p>no picture", "web page"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"<?xml version='1.0'?><!-- x --><svg xmlns='x'/>", "SVG"),
        (b"%PDF-1.7 " + NOISE, "not of any known image format"),
        (b"%PDF-1.7 text", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (NOISE, "not of any known image format"),
        (b"", "no bytes"),
    ],
)
@pytest.mark.parametrize("kind", ["image/png", "text/html"])
def test_content_is_looked_at_and_not_believed(body: bytes, said: str, kind: str) -> None:
    outcome, _ = fetch(response(body, Content_Type=kind))
    assert isinstance(outcome, Refused) and said in outcome.detail
    assert isinstance(fetch(response(PICTURE, Content_Type=kind))[0], Fetched)


def test_what_is_no_image_is_refused_at_its_beginning() -> None:
    page = then(start() + b"<!doctype html>", again(b"x" * 1000, 0.01))
    assert refused(page, Reason.NOT_AN_IMAGE).seconds < 5


# Too much


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_inflated(encoding: str, tmp_path: Path) -> None:
    squeeze = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = squeeze.compress(PICTURE) + b"".join(
        squeeze.compress(bytes(1 << 20)) for _ in range(300)
    )
    page = response(bomb + squeeze.flush(), Content_Encoding=encoding)
    assert len(page) < 1 << 20

    async def run() -> Outcome:
        async with (
            served({"/": page}) as site,
            Fetcher(site.policy(max_bytes=100 << 20)) as fetcher,
        ):
            with Path(tmp_path, "body").open("wb") as into:
                return await fetcher.fetch(site.url("/"), into)

    tracemalloc.start()
    outcome = asyncio.run(run())
    assert isinstance(outcome, Refused) and outcome.reason is Reason.TOO_LARGE
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_limit_is_exact() -> None:
    assert isinstance(fetch(response(PICTURE), policy={"max_bytes": len(PICTURE)})[0], Fetched)
    refused(response(PICTURE), Reason.TOO_LARGE, max_bytes=len(PICTURE) - 1)


@pytest.mark.parametrize("head", [start(), start(Transfer_Encoding="chunked")])
def test_an_endless_body_ends(head: bytes) -> None:
    is_chunked = b"chunked" in head
    first, more = (chunked([p]) if is_chunked else p for p in (PICTURE, NOISE))
    refused(then(head + first, again(more)), Reason.TOO_LARGE, max_bytes=3 << 20)


def test_a_length_that_is_too_much_is_refused_before_the_body() -> None:
    page = then(response(b"", Content_Length="9" * 15), again(b"", 1))
    assert refused(page, Reason.TOO_LARGE, max_bytes=1000).seconds < 3


@pytest.mark.parametrize(
    "line",
    [b"X-Name: value\r\n", b"X: " + b"y" * 65_536, b"X: \r\n", b"x" * 65_536, b" folded\r\n"],
)
def test_a_flood_of_headers_ends(line: bytes) -> None:
    outcome = failed(then(b"HTTP/1.1 200 OK\r\n", again(line)))
    assert outcome.seconds < 5


# Too slow

SLOW = {"seconds": 1.5, "idle_seconds": 0.5}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (again(b"", 1), "nothing came for 0.5 s"),
        (then(response(PICTURE)[:-9], again(b"", 1)), "nothing came for 0.5 s"),
        (then(b"HTTP/1.1 200 OK\r\nX: ", again(b"y", 0.1)), "it was not there after 1.5 s"),
        (then(start() + PICTURE, again(b"y", 0.1)), "it was not there after 1.5 s"),
        (again(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.1), "it was not there after 1.5 s"),
        (
            then(start(Transfer_Encoding="chunked"), again(b"0" * 5, 0.1)),
            "it was not there after 1.5 s",
        ),
        (
            then(
                start(Transfer_Encoding="chunked") + chunked([PICTURE]), again(b"1\r\nx\r\n", 0.1)
            ),
            "it was not there after 1.5 s",
        ),
    ],
)
def test_the_slow_are_left(page: Page, said: str) -> None:
    started = time.monotonic()
    assert failed(page, Reason.TIMED_OUT, **SLOW).detail == said
    assert time.monotonic() - started < 5


def test_time_is_that_of_all_redirects() -> None:
    async def page(write: Any) -> None:
        await asyncio.sleep(0.4)
        await write(redirect(f"/{time.monotonic()}"))

    async def run() -> Outcome:
        async with (
            served({"*": page}) as site,
            Fetcher(site.policy(redirects=1000, **SLOW)) as fetcher,
        ):
            return await fetcher.fetch(site.url("/"), io.BytesIO())

    outcome = asyncio.run(run())
    assert isinstance(outcome, Failed) and outcome.reason is Reason.TIMED_OUT
    assert 1 <= len(outcome.redirects) <= 4


# Broken


async def silence(write: Any) -> None:
    """Closes without a word."""


@pytest.mark.parametrize(
    "page",
    [
        silence,
        response(PICTURE, Content_Length=str(len(PICTURE) + 9)),
        response(PICTURE, Content_Length="-1"),
        response(PICTURE, Content_Length="1, 2"),
        response(PICTURE, Content_Length="0x10"),
        response(PICTURE, Transfer_Encoding="chunked"),
        start(Transfer_Encoding="chunked") + b"zz\r\n" + PICTURE,
        start(Transfer_Encoding="chunked") + b"-5\r\n" + PICTURE,
        start(Transfer_Encoding="chunked") + b"f" * 40 + b"\r\n" + PICTURE,
        start(Transfer_Encoding="chunked") + chunked([PICTURE]),
        start(Transfer_Encoding="chunked") + b"5\r\n1234567\r\n0\r\n\r\n",
        response(gzip.compress(PICTURE)[:-20], Content_Encoding="gzip"),
        response(gzip.compress(PICTURE) + b"more", Content_Encoding="gzip"),
        response(zlib.compress(PICTURE) + b"more", Content_Encoding="deflate"),
        response(PICTURE, Content_Encoding="gzip"),
        response(b"\x1b" + PICTURE, Content_Encoding="br"),
        response(gzip.compress(gzip.compress(PICTURE)), Content_Encoding="gzip, gzip"),
        b"HTTP/9.9 999 \r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        NOISE,
        b"HTTP/1.1 200 OK\r\nA B: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_broken_answer_is_a_value(page: Page) -> None:
    if isinstance(page, bytes):
        data = page

        async def page(write: Any) -> None:
            await write(data)

    failed(page)


def test_a_length_that_is_too_small_fails_or_cuts_the_body() -> None:
    """Which of the two depends on when the rest arrives."""
    outcome, body = fetch(response(PICTURE, Content_Length="100"))
    assert isinstance(outcome, Failed) or body == PICTURE[:100]


def test_what_follows_an_answer_is_not_taken_for_the_next() -> None:
    """A second answer that was not asked for must not be that of the next request."""

    async def run() -> list[bytes]:
        async with served({"/": response(PICTURE) + response(b"evil")}) as site:
            async with Fetcher(site.policy()) as fetcher:
                bodies = [io.BytesIO(), io.BytesIO()]
                for body in bodies:
                    assert isinstance(await fetcher.fetch(site.url("/"), body), Fetched)
            return [body.getvalue() for body in bodies]

    assert asyncio.run(run()) == [PICTURE, PICTURE]


def test_nobody_there() -> None:
    async def run() -> Outcome:
        async with served({}) as site:
            policy, url = site.policy(), site.url("/")
        async with Fetcher(policy) as fetcher:
            return await fetcher.fetch(url, io.BytesIO())

    outcome = asyncio.run(run())
    assert isinstance(outcome, Failed) and outcome.reason is Reason.UNREACHABLE


def test_what_writing_raises_is_raised() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    async def run() -> None:
        async with served({"/": response(PICTURE)}) as site, Fetcher(site.policy()) as fetcher:
            await fetcher.fetch(site.url("/"), Full())

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(run())


def test_a_bad_host_keeps_no_one_from_the_good() -> None:
    """Many tasks share a fetcher; those that hang leave no connection behind."""

    async def run() -> tuple[list[Outcome], int]:
        pages: dict[str, Page] = {"/good": response(PICTURE), "/bad": again(b"", 1)}
        async with served(pages) as site, Fetcher(site.policy(**SLOW)) as fetcher:
            paths = ["/good", "/bad"] * 50
            asked = (fetcher.fetch(site.url(path), io.BytesIO()) for path in paths)
            outcomes = await asyncio.gather(*asked)
            # aiohttp tells by no public name how many connections are taken.
            connector: Any = fetcher._session.connector
            return outcomes, len(connector._acquired)

    outcomes, held = asyncio.run(run())
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Fetched, Failed] * 50 and held == 0
