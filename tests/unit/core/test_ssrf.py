import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ssrf import UpstreamRefused, UpstreamUnresolved, resolve
from app.core.ssrf_addresses import never, refusal

EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))
NEVER = """
    169.254.169.254 169.254.170.2 169.254.0.1 fe80::1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 100.100.100.200
    168.63.129.16 192.0.0.192 0.0.0.0 0.1.2.3 :: 224.0.0.1 239.1.1.1 255.255.255.255 ff02::1
    ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 ::169.254.169.254 ::ffff:0:a9fe:a9fe
"""
NOT_PUBLIC = """
    127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 192.0.2.1 198.18.0.1
    198.51.100.1 203.0.113.1 240.0.0.1 ::1 fc00::1 fd12::1 fec0::1 2001:db8::1 2001::1 64:ff9b:1::1 100::1
    3fff::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: ::127.0.0.1 5f00::1 4000::1
"""
PUBLIC = """
    8.8.8.8 1.1.1.1 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::
"""


@pytest.mark.parametrize("text", NEVER.split())
def test_no_setting_allows_metadata_and_its_like(text: str) -> None:
    assert refusal(ip_address(text), EVERYTHING) is not None
    assert never(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_what_is_not_public_is_refused_unless_its_network_is_allowed(text: str) -> None:
    assert refusal(ip_address(text), ()) is not None
    assert refusal(ip_address(text), EVERYTHING) is None
    assert not never(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC.split())
def test_a_public_address_is_allowed(text: str) -> None:
    assert refusal(ip_address(text), ()) is None


def test_only_the_allowed_network_is_opened() -> None:
    allowed = [ip_network("10.1.0.0/16")]
    assert refusal(ip_address("10.1.2.3"), allowed) is None
    assert refusal(ip_address("::ffff:10.1.2.3"), allowed) is None
    assert refusal(ip_address("10.2.0.1"), allowed) == "a private address"


@given(st.ip_addresses(v=4))
def test_what_python_calls_no_global_address_is_refused(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert refusal(address, ()) is not None


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_outside_global_unicast_is_refused(address: IPv6Address) -> None:
    carriers = [IPv6Network("64:ff9b::/96"), IPv6Network("::/64")]
    if not any(address in network for network in (IPv6Network("2000::/3"), *carriers)):
        assert refusal(address, ()) is not None


@given(st.ip_addresses(v=4))
def test_every_dress_of_an_ipv4_address_is_judged_as_itself(address: IPv4Address) -> None:
    bare = int(address)
    dressed = [0xFFFF << 32 | bare, 0x64FF9B << 96 | bare, 0x2002 << 112 | bare << 80]
    for number in dressed:
        assert refusal(IPv6Address(number), ()) == refusal(address, ())


@pytest.mark.anyio
async def test_an_allowed_host_gives_its_endpoints() -> None:
    assert await resolve("127.0.0.1", 80, [ip_network("127.0.0.0/8")]) == ["127.0.0.1:80"]
    assert await resolve("::1", 443, [ip_network("::1/128")]) == ["[::1]:443"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f000001", "127.0.0.1.", "::ffff:127.0.0.1"]
)
async def test_a_loopback_host_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(UpstreamRefused):
        await resolve(host, 80, [])


@pytest.mark.anyio
async def test_a_refusal_names_host_address_reason_and_setting() -> None:
    with pytest.raises(UpstreamRefused) as refused:
        await resolve("127.0.0.1", 80, [])
    for part in ("127.0.0.1 is at", "a loopback address", "GATEPOST_UPSTREAM_NETWORKS"):
        assert part in str(refused.value)


@pytest.mark.anyio
async def test_a_refusal_that_no_setting_changes_names_none() -> None:
    with pytest.raises(UpstreamRefused, match="never connects there"):
        await resolve("169.254.169.254", 80, EVERYTHING)


@pytest.mark.anyio
async def test_one_refused_address_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, 1, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    with pytest.raises(UpstreamRefused, match=r"10\.0\.0\.1"):
        await resolve("two.example", 443, [])


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["nothing.invalid", "a" * 64 + ".example", "a..b"])
async def test_a_name_without_an_address_is_told_apart(host: str) -> None:
    with pytest.raises(UpstreamUnresolved, match="check the host"):
        await resolve(host, 80, EVERYTHING)
