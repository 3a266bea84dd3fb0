"""Which addresses a crawl may connect to: public ones, and those that a source allows.

Whoever opens a connection asks :func:`objection` about the very address it will connect to,
after names are resolved: how a host was spelled does not matter then.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["Address", "Network", "objection"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# No source may allow them: they give out keys. Those of Azure and Alibaba hide among public and
# shared addresses.
_METADATA = frozenset(
    map(
        ip_address,
        (
            *("169.254.169.254", "fd00:ec2::254"),  # most clouds; AWS
            *("169.254.170.2", "169.254.170.23", "fd00:ec2::23"),  # containers at AWS (ECS, EKS)
            *("fd20:ce::254", "192.0.0.192"),  # Google, Oracle
            *("168.63.129.16", "100.100.100.200"),  # Azure, Alibaba
        ),
    )
)

# The IANA special-purpose registries (RFC 6890 and updates) without what they call globally
# reachable. Python's own is_global follows them too, but with the age of the Python.
_REFUSED: dict[Network, str] = {
    ip_network(network): what
    for network, what in (
        ("0.0.0.0/8", "this machine"),
        ("127.0.0.0/8", "this machine"),
        ("10.0.0.0/8", "a private network"),
        ("172.16.0.0/12", "a private network"),
        ("192.168.0.0/16", "a private network"),
        ("100.64.0.0/10", "a provider's inner network"),
        ("169.254.0.0/16", "a link-local address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "an example in documents"),
        ("192.88.99.0/24", "a tunnel"),
        ("198.18.0.0/15", "a network for benchmarks"),
        ("198.51.100.0/24", "an example in documents"),
        ("203.0.113.0/24", "an example in documents"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "this machine"),
        ("::1/128", "this machine"),
        ("fc00::/7", "a private network"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/32", "a tunnel"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "an example in documents"),
        ("2002::/16", "a tunnel"),
        ("3fff::/20", "an example in documents"),
    )
}
_PUBLIC_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def objection(address: str, allowed: Iterable[Network] = ()) -> str | None:
    """Why not to connect to a numeric ``address``, in a few words; None if one may.

    ``allowed`` are networks that are fine though they are not public. An IPv4 address within
    an IPv6 one (mapped, or behind NAT64) is judged itself; tunnels (6to4, Teredo) are refused
    whatever they lead to. ValueError if ``address`` is none.
    """
    meant = _meant(ip_address(address))
    if meant in _METADATA:
        return "the metadata service of a cloud"
    if any(meant in network for network in allowed):
        return None
    for network, what in _REFUSED.items():
        if meant in network:
            return what
    if isinstance(meant, IPv6Address) and meant not in _PUBLIC_V6:
        return "a reserved address"
    return None


def _meant(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address
