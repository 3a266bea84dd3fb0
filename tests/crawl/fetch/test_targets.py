"""Where a crawl must not be led: each target alone, by redirects, and by names that change."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ris_jobs.crawl.fetch import Fetched, Outcome, Policy, Redirected, Refused
from ris_jobs.crawl.fetch.fetcher import Fetcher
from ris_jobs.errors import Reason
from tests.crawl.fetch.site import HOST, fetch, picture, redirect, response, served

CERTIFICATE = Path(__file__).parents[2] / "fingerprint" / "descriptor" / "localhost.pem"

# PORT is that of a site on 127.0.0.77 whose log must stay empty; most of these would reach it,
# or something else of this machine or network, if they were followed.
TARGETS = [
    "http://127.0.0.77:PORT/", "http://127.0.0.1:PORT/", "http://localhost:PORT/",
    "http://LOCALHOST.:PORT/", "http://127.0.0.77.:PORT/", "http://0.0.0.0:PORT/",
    "http://0:PORT/", "http://127.77:PORT/", "http://127.0.77:PORT/", "http://2130706509:PORT/",
    "http://0x7f00004d:PORT/", "http://0x7f.0.0.0x4d:PORT/", "http://0177.0.0.0115:PORT/",
    "http://017700000115:PORT/", "http://00127.0.0.77:PORT/", "http://127.0.0.077:PORT/",
    "http://127.000.000.077:PORT/", "http://4294967296:PORT/", "http://127.0.0.333:PORT/",
    "http://１２７.０.０.７７:PORT/", "http://127。0。0。77:PORT/", "http://①②⑦.⓪.⓪.⑦⑦:PORT/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/", "http://%31%32%37.0.0.77:PORT/", "http://127.0.0.77%00:PORT/",
    "http://example.org@127.0.0.77:PORT/", "http://a:b@127.0.0.77:PORT/",
    "http://example.org\\@127.0.0.77:PORT/", "http://127.0.0.77\\.example.org:PORT/",
    "http://[::1]:PORT/", "http://[::]:PORT/", "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::ffff:127.0.0.77]:PORT/", "http://[::ffff:7f00:4d]:PORT/",
    "http://[::127.0.0.77]:PORT/", "http://[64:ff9b::127.0.0.77]:PORT/",
    "http://[2002:7f00:4d::]:PORT/", "http://[2001:0:7f00:4d::]:PORT/", "http://[fe80::1]:PORT/",
    "http://[fe80::1%25lo]:PORT/", "http://[fd00:ec2::254]/", "http://[fc00::1]/",
    "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/",
    "http://2852039166/", "http://168.63.129.16/", "http://100.100.100.200/",
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/",
    "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
    "https://127.0.0.77:PORT/", "file:///etc/passwd", "ftp://127.0.0.77:PORT/",
    "gopher://127.0.0.77:PORT/_GET", "dict://127.0.0.77:PORT/", "//127.0.0.77:PORT/",
]  # fmt: skip


def ask(target: str) -> tuple[Outcome, int]:
    """What becomes of a target without any allowed network, and how often the site was reached."""

    async def run() -> tuple[Outcome, int]:
        async with served({"/": response(picture())}) as site:
            policy = Policy(contact="crawl@example.org", ports=frozenset({80, site.port}))
            async with Fetcher(policy) as fetcher:
                outcome = await fetcher.fetch(target.replace("PORT", str(site.port)), io.BytesIO())
            return outcome, site.connections

    return asyncio.run(run())


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_refused(target: str) -> None:
    outcome, connections = ask(target)
    assert isinstance(outcome, Refused), outcome
    assert outcome.reason in (Reason.ADDRESS_REFUSED, Reason.URL_REFUSED)
    assert connections == 0


@pytest.mark.parametrize(
    "target", [t for t in TARGETS if not any(mark in t for mark in ("77", "⑦⑦", "７７", ":4d]"))]
)
def test_a_redirect_to_a_target_is_refused(target: str) -> None:
    """The site itself is allowed, and what is not on its own address remains forbidden."""

    async def run() -> Outcome:
        async with served({}) as site:
            site.pages["/"] = redirect(target.replace("PORT", str(site.port)))
            policy = site.policy(ports=frozenset({80, site.port}))
            async with Fetcher(policy) as fetcher:
                return await fetcher.fetch(site.url("/"), io.BytesIO())

    outcome = asyncio.run(run())
    assert isinstance(outcome, Refused), outcome
    assert outcome.reason in (Reason.ADDRESS_REFUSED, Reason.URL_REFUSED)


def test_a_refusal_says_why() -> None:
    outcome, _ = ask("http://localhost:PORT/")
    assert isinstance(outcome, Refused) and "127.0.0.1, this machine" in outcome.detail


@pytest.mark.parametrize("port", [1, 22, 6379])
def test_a_redirect_to_another_port_is_refused(port: int) -> None:
    outcome, _ = fetch(redirect(f"http://{HOST}:{port}/"))
    assert isinstance(outcome, Refused)
    assert outcome.detail == f"port {port} is not one to fetch from"


# Redirects


def crawl(pages: dict[str, bytes], path: str = "/", **how: Any) -> tuple[Outcome, list[str]]:
    async def run() -> tuple[Outcome, list[str]]:
        async with served(dict(pages)) as site, Fetcher(site.policy()) as fetcher:
            outcome = await fetcher.fetch(site.url(path), io.BytesIO(), **how)
            return outcome, [path for path, _ in site.log]

    return asyncio.run(run())


def test_redirects_are_followed_and_told() -> None:
    pages = {"/": redirect("a", "301 Moved"), "/a": redirect("/b", "308 Moved")}
    outcome, log = crawl(pages | {"/b": response(picture())})
    assert isinstance(outcome, Fetched)
    assert log == ["/", "/a", "/b"] and outcome.url.endswith("/b")
    assert [url.rpartition("/")[2] for url in outcome.redirects] == ["", "a"]


def test_a_redirect_may_be_an_outcome() -> None:
    outcome, log = crawl({"/": redirect("/a")}, follow=False)
    assert isinstance(outcome, Redirected) and outcome.to.endswith("/a") and log == ["/"]


def test_a_loop_ends() -> None:
    outcome, log = crawl({"/": redirect("/a"), "/a": redirect("/")})
    assert isinstance(outcome, Refused) and outcome.reason is Reason.TOO_MANY_REDIRECTS
    assert log == ["/", "/a"]


def test_a_long_chain_ends() -> None:
    outcome, log = crawl({f"/{i}": redirect(f"/{i + 1}") for i in range(20)}, "/0")
    assert isinstance(outcome, Refused) and outcome.reason is Reason.TOO_MANY_REDIRECTS
    assert len(log) == 6


def test_credentials_stay_with_their_host() -> None:
    async def run(to: str) -> tuple[Outcome, list[dict[str, str]]]:
        async with served({"/b": response(picture())}) as other, served({}) as site:
            site.pages |= {"/": redirect(to.format(other.port)), "/b": response(picture())}
            policy = site.policy(ports=frozenset({site.port, other.port}))
            async with Fetcher(policy) as fetcher:
                asked = fetcher.fetch(site.url("/"), io.BytesIO(), authorization="Bearer secret")
                outcome = await asked
            return outcome, [headers for _, headers in site.log + other.log]

    outcome, log = asyncio.run(run("/b"))
    assert isinstance(outcome, Fetched)
    assert [headers["Authorization"] for headers in log] == ["Bearer secret"] * 2
    outcome, log = asyncio.run(run(f"http://{HOST}:{{}}/b"))
    assert isinstance(outcome, Refused) and "credentials" in outcome.detail and len(log) == 1


def test_cookies_are_forgotten() -> None:
    async def run() -> list[dict[str, str]]:
        pages = {"/": redirect("/a").replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n\r\n")}
        async with served({**pages, "/a": response(picture())}) as site:
            async with Fetcher(site.policy()) as fetcher:
                await fetcher.fetch(site.url("/"), io.BytesIO())
            return [headers for _, headers in site.log]

    log = asyncio.run(run())
    assert len(log) == 2 and not any("Cookie" in headers for headers in log)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert isinstance(fetch(response(picture()))[0], Fetched)


# Names

Names = Callable[..., list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """names(answer, answer …): what a resolver says of any name, one answer after the other.

    Returns a list of the names that were asked for, to which it adds.
    """

    def script(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, *_: object) -> list[object]:
            asked.append(host)
            kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
            return [
                (socket.AF_INET6, *kind, (address, port, 0, 0))
                if ":" in address
                else (socket.AF_INET, *kind, (address, port))
                for address in answers[len(asked) - 1]
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return script


def ask_for_name(*, times: int = 1, stay: bool = True) -> tuple[list[Outcome], int, list[str]]:
    async def run() -> tuple[list[Outcome], int, list[str]]:
        page = response(picture(), **({} if stay else {"Connection": "close"}))
        async with served({"/": page}) as site, Fetcher(site.policy()) as fetcher:
            url = site.url("/", "pictures.test")
            outcomes = [await fetcher.fetch(url, io.BytesIO()) for _ in range(times)]
            return outcomes, site.connections, [headers["Host"] for _, headers in site.log]

    return asyncio.run(run())


def test_a_name_is_resolved_once_and_the_address_that_was_judged_is_used(names: Names) -> None:
    asked = names([HOST], ["10.0.0.1"])
    (outcome,), connections, hosts = ask_for_name()
    assert isinstance(outcome, Fetched), outcome
    assert (asked, connections) == (["pictures.test"], 1)
    assert hosts[0].startswith("pictures.test:")


def test_a_name_that_changes_to_a_private_address_is_refused(names: Names) -> None:
    names([HOST], ["10.0.0.1"])
    outcomes, connections, _ = ask_for_name(times=2, stay=False)
    assert isinstance(outcomes[0], Fetched) and connections == 1
    assert isinstance(outcomes[1], Refused) and "10.0.0.1, a private network" in outcomes[1].detail


def test_a_connection_that_stays_open_stays_where_it_is(names: Names) -> None:
    asked = names([HOST], ["10.0.0.1"])
    outcomes, connections, _ = ask_for_name(times=3)
    assert all(isinstance(outcome, Fetched) for outcome in outcomes)
    assert (len(asked), connections) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        [HOST, "10.0.0.1"],
        ["10.0.0.1", HOST],
        [HOST, "::1"],
        ["::ffff:10.0.0.1"],
        ["169.254.169.254"],
    ],
)
def test_a_name_with_one_bad_address_is_refused(names: Names, answer: list[str]) -> None:
    names(answer)
    (outcome,), connections, _ = ask_for_name()
    assert isinstance(outcome, Refused) and outcome.reason is Reason.ADDRESS_REFUSED
    assert connections == 0


def test_a_redirect_to_a_name_is_judged_by_its_address(names: Names) -> None:
    names(["192.168.0.10"])
    outcome, log = crawl({"/": redirect("http://pictures.test/")})
    assert isinstance(outcome, Refused) and len(log) == 1


@pytest.mark.parametrize(("host", "fine"), [("localhost", True), ("pictures.test", False)])
def test_tls_verifies_the_name_though_an_address_is_connected_to(
    names: Names, host: str, fine: bool
) -> None:
    names([HOST])
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(CERTIFICATE)
    theirs = ssl.create_default_context(cafile=str(CERTIFICATE))

    async def run() -> Outcome:
        async with (
            served({"/": response(picture())}, ours) as site,
            Fetcher(site.policy(), ssl_context=theirs) as fetcher,
        ):
            return await fetcher.fetch(site.url("/", host, "https"), io.BytesIO())

    outcome = asyncio.run(run())
    assert isinstance(outcome, Fetched) is fine, outcome
    if not fine:
        assert "pictures.test" in str(outcome)
