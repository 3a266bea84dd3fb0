"""The rule of which addresses may be connected to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.crawl.fetch.addresses import objection

BAD = [
    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255",
    "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255", "169.254.0.1",
    "169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%2",
    "fec0::1", "fc00::1", "fd00:ec2::254", "fdff::1", "ff02::1", "2001:db8::1", "3fff::1",
    "5f00::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.1.2.3", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]  # fmt: skip

GOOD = ["1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
        "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]  # fmt: skip


@pytest.mark.parametrize("address", BAD)
def test_addresses_that_are_not_public(address: str) -> None:
    assert objection(address)


@pytest.mark.parametrize("address", GOOD)
def test_addresses_that_are_public(address: str) -> None:
    assert objection(address) is None


@given(st.ip_addresses())
def test_what_python_calls_not_global_is_never_allowed(address: IPv4Address | IPv6Address) -> None:
    carries_another = isinstance(address, IPv6Address) and address.ipv4_mapped
    assert address.is_global or carries_another or objection(str(address))


def test_a_source_may_allow_its_own_network_and_no_other() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd12::/64"))
    for mine in ("10.1.2.3", "fd12::1", "::ffff:10.1.2.3"):
        assert objection(mine) and objection(mine, allowed) is None
    for other in ("10.2.0.1", "127.0.0.1", "fd12:0:0:1::1", "::1"):
        assert objection(other, allowed)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fd20:ce::254"),
        *("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "192.0.0.192", "::ffff:a9fe:aa02"),
    ],
)
def test_metadata_is_never_allowed(address: str) -> None:
    assert "metadata" in str(objection(address, (ip_network("0.0.0.0/0"), ip_network("::/0"))))


def test_what_is_no_address_is_an_error() -> None:
    with pytest.raises(ValueError):
        objection("localhost")
