"""Contract 3, last rule: a name that leads inside is caught at every attempt, and no connection is opened there."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from globalconnect.push.guard import (
    ForbiddenAddress,
    GuardedResolver,
    ThreadPoolResolver,
    guarded_connector,
    guarded_socket_factory,
)
from simulation.partner_server import SPELLINGS_INSIDE, ScriptedResolver, listening

PUBLIC = "8.8.8.8"
PUBLIC_V6 = "2a00:1450:4001::8a"


@asynccontextmanager
async def guarded_session(inner: AbstractResolver, *, loopback: bool) -> AsyncIterator[aiohttp.ClientSession]:
    resolver = GuardedResolver(inner, loopback=loopback)
    async with aiohttp.ClientSession(connector=guarded_connector(resolver, loopback=loopback, tls=None)) as session:
        yield session
    await resolver.close()


def resolved(addresses: list[str], *, loopback: bool) -> list[str]:
    """Return what the guard leaves of the addresses that a name has."""
    guard = GuardedResolver(ScriptedResolver(addresses), loopback=loopback)
    return [answer["host"] for answer in asyncio.run(guard.resolve("partner.example", 443))]


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "fe80::1%eth0",
        "100.64.0.1",
        "not an address",
    ],
)
def test_name_that_leads_inside_only_is_refused(inside: str) -> None:
    with pytest.raises(ForbiddenAddress):
        resolved([inside], loopback=False)


@pytest.mark.parametrize(
    ("addresses", "loopback", "open_ones"),
    [
        pytest.param(["127.0.0.1", PUBLIC, "10.1.2.3", PUBLIC_V6, "::1"], False, [PUBLIC, PUBLIC_V6], id="deployed"),
        pytest.param(["::1", "127.0.0.1", "127.0.0.2", "10.1.2.3"], True, ["127.0.0.1"], id="local stack"),
    ],
)
def test_name_leads_to_its_open_addresses_only(addresses: list[str], loopback: bool, open_ones: list[str]) -> None:
    assert resolved(addresses, loopback=loopback) == open_ones


def test_name_without_any_address_is_a_plain_failure() -> None:
    with pytest.raises(OSError, match="no address") as caught:
        resolved([], loopback=False)
    assert not isinstance(caught.value, ForbiddenAddress)


def test_closing_the_guard_closes_the_resolver_it_asks() -> None:
    inner = ScriptedResolver([])
    asyncio.run(GuardedResolver(inner, loopback=False).close())
    assert inner.closed


def test_system_resolver_gives_every_address_or_fails() -> None:
    async def scenario(family: socket.AddressFamily) -> list[ResolveResult]:
        resolver = ThreadPoolResolver()
        try:
            return await resolver.resolve("127.0.0.1", 8080, family)
        finally:
            await resolver.close()

    (found,) = asyncio.run(scenario(socket.AF_UNSPEC))
    assert (found["host"], found["port"]) == ("127.0.0.1", 8080)
    with pytest.raises(OSError, match=r".+"):
        asyncio.run(scenario(socket.AF_INET6))


@pytest.mark.parametrize(
    ("family", "address"),
    [
        pytest.param(socket.AF_INET, ("127.0.0.1", 80), id="loopback"),
        pytest.param(socket.AF_INET, ("169.254.169.254", 80), id="metadata"),
        pytest.param(socket.AF_INET, ("", 80), id="any-interface"),
        pytest.param(socket.AF_INET, ("127.1", 80), id="short-spelling"),
        pytest.param(socket.AF_INET, ("partner.example", 80), id="name"),
        pytest.param(socket.AF_INET6, ("::1", 80, 0, 0), id="loopback-v6"),
        pytest.param(socket.AF_INET6, ("::ffff:8.8.8.8", 80, 0, 0), id="v4-mapped"),
    ],
)
def test_socket_to_a_forbidden_address_is_never_made(family: socket.AddressFamily, address: tuple[str, int]) -> None:
    factory = guarded_socket_factory(loopback=False)
    with pytest.raises(ForbiddenAddress):
        factory((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address))


@pytest.mark.parametrize(
    ("address", "loopback"),
    [(PUBLIC, False), (PUBLIC, True), ("127.0.0.1", True)],
    ids=["public", "public-local", "local"],
)
def test_socket_to_an_open_address_is_made_but_not_connected(address: str, loopback: bool) -> None:
    factory = guarded_socket_factory(loopback=loopback)
    with factory((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80))) as made:
        assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)
        with pytest.raises(OSError, match=r".+"):
            made.getpeername()


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("partner.example", id="name-that-leads-inside"),
        *(pytest.param(host, id=name) for name, host in SPELLINGS_INSIDE.items()),
    ],
)
def test_guard_alone_opens_no_connection_inside(host: str) -> None:
    async def scenario() -> int:
        async with listening() as inside, guarded_session(ScriptedResolver(["127.0.0.1"]), loopback=False) as session:
            with pytest.raises((aiohttp.ClientError, ValueError)):
                await session.post(f"http://{host}:{inside.port}/")
            return inside.accepts

    assert asyncio.run(scenario()) == 0


def test_several_forbidden_addresses_stay_one_refusal_under_happy_eyeballs() -> None:
    async def scenario() -> BaseException:
        # The resolver's lock is open here, so that the socket factory is asked for each address of both families.
        connector = aiohttp.TCPConnector(
            resolver=ScriptedResolver(["10.0.0.1", "::1", "127.0.0.1"]),
            socket_factory=guarded_socket_factory(loopback=False),
        )
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await session.post("http://partner.example:8080/")
            return caught.value.os_error

    assert isinstance(asyncio.run(scenario()), ForbiddenAddress)


def test_name_is_resolved_once_between_the_check_and_the_connection() -> None:
    async def scenario() -> tuple[int, int, int]:
        rebinding = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
        async with (
            listening() as partner,
            listening("127.0.0.2", partner.port) as inside,
            guarded_session(rebinding, loopback=True) as session,
            session.post(f"http://partner.example:{partner.port}/") as response,
        ):
            assert response.status == 200
            return rebinding.asked, partner.accepts, inside.accepts

    assert asyncio.run(scenario()) == (1, 1, 0)
