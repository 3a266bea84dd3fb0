"""Fetching by HTTP and HTTPS what strangers offer, without going where they would like.

aiohttp speaks the protocol; whom it may speak to is decided here. Each redirect is read and
judged like a first URL. Names are resolved once for each connection, and the socket is made for
an address that was judged: what the name resolves to a moment later does not matter, while TLS
still verifies the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO

import aiohttp
from yarl import URL

from ris_jobs.crawl.fetch import (
    Failed,
    Fetched,
    Gone,
    Headers,
    Known,
    NotModified,
    Outcome,
    Policy,
    Redirected,
    Refused,
    headers,
)
from ris_jobs.crawl.fetch.addresses import objection
from ris_jobs.crawl.fetch.body import ENCODINGS, BadBody, Body
from ris_jobs.crawl.fetch.resolver import Resolver
from ris_jobs.crawl.fetch.urls import Target, join, parse
from ris_jobs.errors import ImageRejected, Reason, UrlRefused

__all__ = ["Fetcher"]

_REDIRECTS = (301, 302, 303, 307, 308)
_OK = (200, 203)
_GONE = (404, 410)


class Fetcher:
    """Fetches by one policy, in one event loop; an asynchronous context manager.

    ``ssl_context`` (the system's authorities unless given) must verify. Tasks may share it; who
    is asked how often is for the caller to decide.
    """

    def __init__(self, policy: Policy, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._policy = policy
        self._ssl = ssl_context or ssl.create_default_context()

    async def __aenter__(self) -> Fetcher:
        policy = self._policy
        self._resolver = Resolver(lambda address: _judge(address, policy))
        connector = aiohttp.TCPConnector(
            ssl=self._ssl,
            limit=0,
            use_dns_cache=False,
            resolver=self._resolver,
            socket_factory=_sockets(policy),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=policy.idle_seconds, sock_read=policy.idle_seconds
            ),
            headers={"User-Agent": policy.user_agent, "Accept-Encoding": ", ".join(ENCODINGS)},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._session.close()
        await self._resolver.close()

    async def fetch(
        self,
        url: str,
        into: BinaryIO,
        *,
        known: Known | None = None,
        is_image: bool = True,
        follow: bool = True,
        authorization: str | None = None,
        max_bytes: int | None = None,
        seconds: float | None = None,
        admit: Callable[[Headers], None] | None = None,
    ) -> Outcome:
        """Write the body of ``url`` to ``into``, and say what came of it.

        Whatever the outcome, ``into`` may have been written to; only with :class:`Fetched` it
        holds the whole body. What its ``write`` raises is raised. With ``is_image`` anything but a
        supported image format is refused at its first bytes. Without ``follow`` a redirect is an
        outcome. ``authorization`` is the header of that name; a redirect to another host or
        scheme is refused with it. ``max_bytes`` and ``seconds`` are the policy's unless given.
        ``admit`` may raise :class:`ImageRejected` for what the headers say, before the body comes.
        """
        limit = max_bytes or self._policy.max_bytes
        seconds = self._policy.seconds if seconds is None else seconds
        request = _Request(into, known or Known(), is_image, follow, authorization, limit, admit)
        call = _Call(self._policy, self._session, request, url)
        try:
            async with asyncio.timeout(seconds) as clock:
                return await call.run()
        except (UrlRefused, ImageRejected) as error:
            return call.refused(error.reason, error.detail)
        except BadBody as error:
            return call.failed(Reason.BAD_RESPONSE, str(error))
        except TimeoutError:
            return call.failed(Reason.TIMED_OUT, self._too_slow(clock.expired(), seconds))
        except aiohttp.ClientOSError as error:
            return call.failed(Reason.UNREACHABLE, f"it cannot be reached: {_said(error)}")
        except aiohttp.ClientError as error:
            return call.failed(Reason.BAD_RESPONSE, f"its answer is broken: {_said(error)}")

    def _too_slow(self, expired: bool, seconds: float) -> str:
        if expired:
            return f"it was not there after {seconds:g} s"
        return f"nothing came for {self._policy.idle_seconds:g} s"


@dataclass(frozen=True, slots=True)
class _Request:
    into: BinaryIO
    known: Known
    is_image: bool
    follow: bool
    authorization: str | None
    max_bytes: int
    admit: Callable[[Headers], None] | None


class _Call:
    """One fetch: where it has got to, and what came of it."""

    def __init__(
        self, policy: Policy, session: aiohttp.ClientSession, request: _Request, url: str
    ) -> None:
        self._policy = policy
        self._session = session
        self._request = request
        self._url = url
        self._redirects: list[str] = []
        self._body: Body | None = None
        self._asked = False
        self._started = time.monotonic()

    async def run(self) -> Outcome:
        target = first = parse(self._url)
        while True:
            self._url = target.url
            self._check(target, first)
            async with self._session.get(
                URL(target.url, encoded=True),
                allow_redirects=False,
                headers=self._headers(),
            ) as response:
                self._asked = True
                location = response.headers.get("Location")
                if response.status not in _REDIRECTS or location is None:
                    return await self._outcome(response)
                target = join(target, location)
                if not self._request.follow:
                    kept = headers.kept(response.headers)
                    return Redirected(
                        **self._where(), status=response.status, headers=kept, to=target.url
                    )
            self._redirects.append(self._url)

    def _check(self, target: Target, first: Target) -> None:
        if target.port not in self._policy.ports:
            raise UrlRefused(Reason.URL_REFUSED, f"port {target.port} is not one to fetch from")
        if len(self._redirects) > self._policy.redirects or target.url in self._redirects:
            detail = f"it leads on and on, the {len(self._redirects)}th time to {target.url[:200]}"
            raise UrlRefused(Reason.TOO_MANY_REDIRECTS, detail)
        if self._request.authorization and target.origin != first.origin:
            detail = f"it needs credentials, and leads to another host, {target.host}"
            raise UrlRefused(Reason.URL_REFUSED, detail)

    def _known(self) -> Known:
        return Known() if self._redirects else self._request.known

    def _headers(self) -> dict[str, str]:
        known = self._known()
        sent = {
            "If-None-Match": known.etag,
            "If-Modified-Since": known.last_modified,
            "Authorization": self._request.authorization,
        }
        return {name: value for name, value in sent.items() if value}

    async def _outcome(self, response: aiohttp.ClientResponse) -> Outcome:
        kept = headers.kept(response.headers)
        if self._request.admit and response.status in (*_OK, 304):
            self._request.admit(kept)
        if response.status in _OK:
            return await self._fetched(response, kept)
        if response.status in _GONE:
            return Gone(**self._where(), status=response.status, headers=kept)
        if response.status == 304 and self._known() != Known():
            return NotModified(**self._where(), headers=kept)
        return self.failed(
            Reason.HTTP_STATUS,
            f"the server answered {response.status}",
            status=response.status,
            retry_after=headers.seconds_to_wait(kept.retry_after),
        )

    async def _fetched(self, response: aiohttp.ClientResponse, kept: Headers) -> Fetched:
        encoding = response.headers.get("Content-Encoding", "")
        request = self._request
        self._body = body = Body(request.into, encoding, request.max_bytes, request.is_image)
        body.limit(response.content_length or 0)
        async for data in response.content.iter_any():
            body.feed(data)
        body.end()
        return Fetched(
            **self._where(),
            status=response.status,
            headers=kept,
            size=body.size,
            sha256=body.sha256,
        )

    def _where(self) -> dict[str, Any]:
        seconds = time.monotonic() - self._started
        return {
            "url": self._url,
            "redirects": tuple(self._redirects),
            "seconds": seconds,
            "received": self._body.arrived if self._body else 0,
        }

    def refused(self, reason: Reason, detail: str) -> Refused:
        return Refused(**self._where(), reason=reason, detail=detail, asked=self._asked)

    def failed(
        self,
        reason: Reason,
        detail: str,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> Failed:
        return Failed(
            **self._where(), reason=reason, detail=detail, status=status, retry_after=retry_after
        )


def _sockets(policy: Policy) -> Callable[[Any], socket.socket]:
    """Makes the socket of every connection, if its address is one to connect to.

    This alone keeps bad addresses out; numeric hosts meet no other check.
    """

    def make(info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        _judge(address[0], policy)
        return socket.socket(family, kind, protocol)

    return make


def _judge(address: str, policy: Policy) -> None:
    if why := objection(address, policy.allowed):
        raise UrlRefused(Reason.ADDRESS_REFUSED, f"it leads to {address}, {why}")


def _said(error: Exception) -> str:
    """What an error says, in one line of printable characters: a server may have worded it."""
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in said)
