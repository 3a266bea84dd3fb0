"""URLs, read strictly: what could mean two things to two programs is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

import idna

from ris_jobs.errors import Reason, UrlRefused

__all__ = ["MAX_URL", "Target", "join", "masked", "parse"]

MAX_URL = 2000
"""Characters of the longest URL that is fetched."""

_URL = re.compile(r"(?i:(https?))://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
# Surrogates below stand for bytes that are no UTF-8 (PEP 383), those above for nothing.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\\ud800-\udc7f\udd00-\udfff]")
_USER = re.compile(r"(\s*(?:[a-z][a-z0-9+.-]*:[/\\]*|[/\\]{2}))[^/?#\\]*@", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}
_KEPT = "%/?:@!$&'()*+,;=-._~[]"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. ``host`` is a lower-case ASCII name or a numeric address (IPv6 without
    brackets); ``path`` begins with ``/`` and has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@lru_cache(maxsize=1024)  # on its way through a crawl a URL is read several times
def parse(url: str) -> Target:
    """Where an absolute ``url`` leads; :class:`UrlRefused` unless it is plain HTTP or HTTPS.

    Refused are user names, percent-encoded hosts, control characters, spaces and backslashes,
    and addresses in any but the usual spelling (decimal, octal, hexadecimal, short forms, full
    or not). Names in other scripts are encoded (IDNA 2008, UTS 46); a fragment is dropped.
    """
    if len(url) > MAX_URL:
        raise _refused(f"it has more than {MAX_URL:,} characters")
    if _AMBIGUOUS.search(url):
        raise _refused("it contains a space, a backslash or a control character")
    if not (parts := _URL.fullmatch(url)):
        raise _refused("it does not begin with http:// or https://")
    scheme, authority, path, query = parts.group(1).lower(), *parts.group(2, 3, 4)
    host, port = _authority(authority)
    number = int(port) if port else _PORTS[scheme]
    if not 0 < number < 65536:
        raise _refused(f"there is no port {number}")
    path = quote((path or "/") + (query or ""), safe=_KEPT, errors="surrogateescape")
    return Target(scheme, host, number, path)


def join(base: Target, location: str) -> Target:
    """Where a redirect from ``base`` leads, with the spaces that some servers leave in."""
    try:
        return parse(urljoin(base.url, location.strip().replace(" ", "%20")))
    except ValueError as error:  # urljoin, of broken brackets
        raise _refused("it cannot be read") from error


def masked(text: str) -> str:
    """What is refused as a URL, without the user name and password it may hold: to be shown."""
    return _USER.sub(r"\1***@", text, count=1) if _USER.match(text) else text


def _authority(text: str) -> tuple[str, str]:
    if "@" in text:
        raise _refused("it holds a user name or password")
    parts = _AUTHORITY.fullmatch(text)
    if not parts or not parts.group(1):
        raise _refused("it names no host")
    return _host(parts.group(1)), parts.group(2) or ""


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    name = _ascii(text).removesuffix(".")
    if _NUMERIC.fullmatch(name.rpartition(".")[2]):
        return _ipv4(name)
    if len(name) > 253 or not all(map(_LABEL.fullmatch, name.split("."))):
        raise _refused("its host is no name that a server can have")
    return name


def _ascii(text: str) -> str:
    try:
        return text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
    except UnicodeError as error:
        raise _refused("its host is no name that a server can have") from error


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError as error:
        raise _refused("its host is an address in an unusual spelling") from error


def _ipv6(text: str) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError as error:
        raise _refused("its host is no IPv6 address") from error
    if address.scope_id is not None:
        raise _refused("its address names an interface of this machine")
    return str(address)


def _refused(detail: str) -> UrlRefused:
    return UrlRefused(Reason.URL_REFUSED, detail)
