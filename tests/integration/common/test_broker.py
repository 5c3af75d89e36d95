"""Each way of saying who we are, to a real server, for a bus and for FastStream's subscribers; what is refused."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from faststream.nats import PullSub

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.nats_servers import (
    Key,
    Server,
    creds,
    make_certificates,
    operated,
    server,
    store,
)
from parley_common import topology
from parley_common.bells import BellSubscriber
from parley_common.broker import Broker
from parley_common.bus import Bus, Link
from parley_common.declare import declare
from parley_common.doorbells import Bell
from parley_common.pulling import faststream_broker, subscribe

pytestmark = pytest.mark.anyio

leaves_sockets = pytest.mark.filterwarnings(
    # the client leaves the socket of a refused attempt to the collector
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
LIMITS = topology.Limits(max_bytes=50_000_000, media_max_bytes=50_000_000)
CONSUMER = topology.CONSUMERS[0]


async def works(broker: Broker) -> None:
    """Declares, publishes, and has the text delivered to a subscriber of FastStream."""
    bus, got = Bus(broker, name="test"), asyncio.Event()
    listening = faststream_broker(broker, "test-bells")

    async def take(_: object) -> None:
        got.set()

    async def undecoded(message: object) -> object:
        return message

    try:
        async with asyncio.timeout(30):
            await bus.connect()
            await declare(bus.js, LIMITS)
            await listening.start()
            pull = PullSub(batch_size=1, timeout=1.0)
            await subscribe(listening, CONSUMER, pull=pull, decoder=undecoded, take=take, held=set())
            await bus.js.publish(topology.texts("c"), b"hello")
            await got.wait()
    finally:
        await listening.stop()
        await bus.close()
    assert bus.refused is None


async def refused(broker: Broker) -> str:
    """The sentence about a broker that does not let us in."""
    bus = Bus(broker, name="test")
    connecting = asyncio.create_task(bus.connect())
    try:
        return str(await wait_until(lambda: bus.refused, 10.0, what="a refusal"))
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await bus.close()


async def test_user_and_password(tmp_path: Path) -> None:
    users = "authorization { users: [{user: agent, password: right}] }"
    async with server(tmp_path, f"{users}\n{store(tmp_path)}") as one:
        await works(Broker(one.url, user="agent", password="right"))
        said = await refused(Broker(one.url, user="agent", password="wrong"))
        assert said.startswith(
            f"the broker at 127.0.0.1:{one.port} refuses user agent: set NATS_USER and NATS_PASS"
        )
        assert "who has no name" in await refused(Broker(one.url))


async def test_user_and_password_in_the_address(tmp_path: Path) -> None:
    users = "authorization { users: [{user: agent, password: right}] }"
    async with server(tmp_path, f"{users}\n{store(tmp_path)}") as one:
        await works(Broker(one.url.replace("//", "//agent:right@")))


async def test_an_nkey(tmp_path: Path) -> None:
    known, other = Key("user"), Key("user")
    async with server(
        tmp_path, f"authorization {{ users: [{{nkey: {known.public}}}] }}\n{store(tmp_path)}"
    ) as one:
        await works(Broker(one.url, nkey=known.write(tmp_path / "known.nk")))
        path = other.write(tmp_path / "other.nk")
        assert f"refuses the nkey in {path}" in await refused(Broker(one.url, nkey=path))


async def test_creds_of_an_account_of_an_operator(tmp_path: Path) -> None:
    operator, account, other = Key("operator"), Key("account"), Key("account")
    async with server(tmp_path, operated(tmp_path, operator, account)) as one:
        await works(Broker(one.url, creds=creds(tmp_path / "user.creds", account)))
        foreign = creds(tmp_path / "foreign.creds", other)
        assert f"refuses the credentials in {foreign}" in await refused(Broker(one.url, creds=foreign))


async def test_tls_with_an_authority_of_our_own(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    tls = f'tls {{ cert_file: "{tmp_path}/server.crt", key_file: "{tmp_path}/server.key" }}'
    async with server(tmp_path, f"{tls}\n{store(tmp_path)}") as one:
        url = one.url.replace("nats://", "tls://")
        await works(Broker(url, ca=tmp_path / "ca.crt"))
        said = await refused(Broker(url, ca=tmp_path / "other.crt"))
        assert "the certificate of the broker" in said
        assert "NATS_CA must name a file" in said


async def test_tls_where_the_server_asks_for_our_certificate(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    files = {name: f'"{tmp_path}/{name}"' for name in ("server.crt", "server.key", "ca.crt")}
    own = f"cert_file: {files['server.crt']}, key_file: {files['server.key']}"
    tls = f"tls {{ {own}, ca_file: {files['ca.crt']}, verify: true }}"
    async with server(tmp_path, f"{tls}\n{store(tmp_path)}") as one:
        url = one.url.replace("nats://", "tls://")
        shown = Broker(url, ca=tmp_path / "ca.crt", cert=tmp_path / "client.crt", key=tmp_path / "client.key")
        await works(shown)
        bus = Bus(Broker(url, ca=tmp_path / "ca.crt"), name="test")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await bus.connect()
        await bus.close()


async def test_a_user_who_may_hear_its_own_inbox_alone(tmp_path: Path) -> None:
    own = 'permissions { publish: ">", subscribe: ["_INBOX_agent.>"] }'
    users = f"authorization {{ users: [{{user: agent, password: right, {own}}}] }}"
    async with server(tmp_path, f"{users}\n{store(tmp_path)}") as one:
        await works(Broker(one.url, user="agent", password="right", inbox_prefix="_INBOX_agent"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(8):
                await works(Broker(one.url, user="agent", password="right"))


@leaves_sockets
async def test_who_is_let_in_at_last_is_no_longer_refused(tmp_path: Path) -> None:
    async with server(tmp_path, _users("new", tmp_path)) as one:
        bus = Bus(Broker(one.url, user="agent", password="old"), name="test")
        connecting = asyncio.create_task(bus.connect())
        await wait_until(lambda: bus.refused, what="a refusal")
        await _with(one, _users("old", tmp_path))
        async with asyncio.timeout(20):
            await connecting
        assert bus.refused is None
        await _with(one, _users("new", tmp_path))
        await wait_until(lambda: bus.refused, 20.0, what="a refusal after a restart")
        await _with(one, _users("old", tmp_path))
        await wait_until(lambda: bus.nc.is_connected and bus.refused is None, 20.0, what="the connection")
        await bus.close()


async def test_a_connection_that_the_server_ends_for_good_is_told_of(tmp_path: Path) -> None:
    """As it does where a password is changed and its configuration read again; the client never comes back."""
    lost = asyncio.Event()
    async with server(tmp_path, _users("old", tmp_path)) as one:
        bus = Bus(Broker(one.url, user="agent", password="old"), name="test", lost=lost.set)
        await bus.connect()
        one.configure(_users("new", tmp_path))
        one.reload()
        async with asyncio.timeout(20):
            await lost.wait()
        assert "refuses user agent" in (bus.refused or "")


async def test_a_connection_that_we_end_is_not_lost(tmp_path: Path) -> None:
    lost = asyncio.Event()
    async with server(tmp_path, store(tmp_path)) as one:
        bus = Bus(Broker(one.url), name="test", lost=lost.set)
        await bus.connect()
        await bus.close()
        assert not lost.is_set()
        assert bus.refused is None


async def test_credentials_that_expire_end_the_connection_and_a_new_file_opens_another(tmp_path: Path) -> None:
    operator, account, lost = Key("operator"), Key("account"), asyncio.Event()
    async with server(tmp_path, operated(tmp_path, operator, account)) as one:
        path = creds(tmp_path / "user.creds", account, expires_in_s=3)
        bus = Bus(Broker(one.url, creds=path), name="test", lost=lost.set)
        async with asyncio.timeout(20):
            await bus.connect()
            await lost.wait()
        assert f"refuses the credentials in {path}" in (bus.refused or "")
        creds(path, account)
        await works(Broker(one.url, creds=path))


@leaves_sockets
async def test_a_file_that_is_no_creds_file_at_a_reconnect_is_read_again(tmp_path: Path) -> None:
    operator, account = Key("operator"), Key("account")
    async with server(tmp_path, operated(tmp_path, operator, account)) as one:
        path = creds(tmp_path / "user.creds", account)
        async with links(Broker(one.url, creds=path)) as both:
            path.write_bytes(b"")
            await _again(one)
            await _refused(both, f"NATS_CREDS names {path}, which holds no JWT and seed")
            creds(path, account)
            await _connected(both)


@leaves_sockets
async def test_an_nkey_half_written_at_a_reconnect_is_read_again_and_another_is_let_in(tmp_path: Path) -> None:
    old, new = Key("user"), Key("user")
    users = f"authorization {{ users: [{{nkey: {old.public}}}, {{nkey: {new.public}}}] }}"
    async with server(tmp_path, users) as one:
        path = old.write(tmp_path / "user.nk")
        async with links(Broker(one.url, nkey=path)) as both:
            path.write_bytes(old.seed[:20])
            await _again(one)
            await _refused(both, f"NATS_NKEY names {path}, which holds no seed")
            new.write(path)
            await _with(one, f"authorization {{ users: [{{nkey: {new.public}}}] }}")
            await _connected(both)


@leaves_sockets
async def test_certificates_that_are_renewed_are_read_again(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        make_certificates(tmp_path / name)
    shutil.copytree(tmp_path / "first", tmp_path / "ours")
    async with server(tmp_path, _tls(tmp_path / "first")) as one:
        url, ours = one.url.replace("nats://", "tls://"), tmp_path / "ours"
        broker = Broker(url, ca=ours / "ca.crt", cert=ours / "client.crt", key=ours / "client.key")
        async with links(broker) as both:
            await _with(one, _tls(tmp_path / "second"))
            await _refused(both, "is not accepted")
            (ours / "client.crt").write_bytes(b"")
            await _refused(both, "NATS_CA, NATS_CERT or NATS_KEY cannot be used")
            shutil.copytree(tmp_path / "second", ours, dirs_exist_ok=True)
            await _connected(both)


@leaves_sockets
async def test_who_is_refused_at_a_reconnect_and_known_again_is_let_in(tmp_path: Path) -> None:
    async with (
        server(tmp_path, _users("right", tmp_path)) as one,
        links(Broker(one.url, user="agent", password="right")) as both,
    ):
        await _with(one, _users("other", tmp_path))
        await _refused(both, "refuses user agent")
        await _with(one, _users("right", tmp_path))
        await _connected(both)


@leaves_sockets
async def test_a_broker_that_is_gone_refuses_nobody(tmp_path: Path) -> None:
    async with server(tmp_path, _users("right", tmp_path)) as one:
        bus = Bus(Broker(one.url, user="agent", password="wrong"), name="test")
        connecting = asyncio.create_task(bus.connect())
        await wait_until(lambda: bus.refused, what="a refusal")
        one.running.kill()
        await wait_until(lambda: bus.refused is None, what="silence")
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await bus.close()


async def test_a_connection_of_faststream_that_the_server_ends_for_good_is_told_of(tmp_path: Path) -> None:
    lost = asyncio.Event()
    async with server(tmp_path, _users("old", tmp_path)) as one:
        listening = faststream_broker(Broker(one.url, user="agent", password="old"), "test", lost=lost.set)
        await listening.start()
        one.configure(_users("new", tmp_path))
        one.reload()
        async with asyncio.timeout(20):
            await lost.wait()
        assert "refuses user agent" in (listening.link.refused or "")


async def test_a_connection_of_faststream_that_we_end_is_not_lost(tmp_path: Path) -> None:
    lost = asyncio.Event()
    async with server(tmp_path, store(tmp_path)) as one:
        listening = faststream_broker(Broker(one.url), "test", lost=lost.set)
        await listening.start()
        await listening.stop()
        assert not lost.is_set()
        assert listening.link.refused is None


@leaves_sockets
async def test_a_subscriber_of_bells_tells_that_its_own_connection_is_not_there(tmp_path: Path) -> None:
    key = Key("user")
    async with server(tmp_path, f"authorization {{ users: [{{nkey: {key.public}}}] }}\n{store(tmp_path)}") as one:
        bus = Bus(Broker(one.url, nkey=key.write(tmp_path / "bus.nk")), name="test")
        bells = _bells(Broker(one.url, nkey=key.write(tmp_path / "bells.nk")))
        await bus.connect()
        await declare(bus.js, LIMITS)
        await bells.start()
        assert await bells.problems(bus) == []
        (tmp_path / "bells.nk").unlink()
        await _again(one)
        await wait_until(lambda: bus.nc.is_connected, 20.0, what="the connection of the bus")
        await _told(bells, bus, "bells.nk, which cannot be read")
        key.write(tmp_path / "bells.nk")
        await _told(bells, bus, None)
        await bells.stop(bus)
        await bus.close()


@leaves_sockets
async def test_a_subscriber_of_bells_tells_that_it_may_not_hear_them(tmp_path: Path) -> None:
    deaf = "{user: deaf, password: b, permissions {subscribe: nothing}}"
    users = f"authorization {{ users: [{{user: all, password: a}}, {deaf}] }}"
    async with server(tmp_path, f"{users}\n{store(tmp_path)}") as one:
        bus = Bus(Broker(one.url, user="all", password="a"), name="test")
        bells = _bells(Broker(one.url, user="deaf", password="b"))
        await bus.connect()
        await declare(bus.js, LIMITS)
        starting = asyncio.create_task(bells.start())
        await _told(bells, bus, "does not permit a subject to user deaf")
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await bells.stop(bus)
        await bus.close()


@pytest.mark.parametrize("service", ["ingress", "agent", "egress", "status"])
async def test_a_service_that_is_refused_says_so_in_its_log_and_at_readyz(tmp_path: Path, service: str) -> None:
    async with server(tmp_path, _users("right", tmp_path)) as one:
        stack = Stack(tmp_path / "stack", {"NATS_URL": one.url})
        wrong = {"NATS_USER": "agent", "NATS_PASSWORD": "not-the-right-one"}
        process = stack.prepare(service, service, wrong)
        process.spawn()
        try:
            await _says(stack, service)
            assert process.output.count("refuses user agent") == 1
            assert "not-the-right-one" not in process.output
        finally:
            stack.kill()


async def test_a_service_whose_password_is_changed_ends_so_that_another_reads_the_new_one(tmp_path: Path) -> None:
    async with server(tmp_path, _users("old", tmp_path)) as one:
        stack = Stack(tmp_path / "stack", {"NATS_URL": one.url, "NATS_USER": "agent", "NATS_PASSWORD": "old"})
        try:
            await stack.start(("declare", "agent"))
            one.configure(_users("new", tmp_path))
            one.reload()
            await wait_until(lambda: stack["agent"].exit_code is not None, 25.0, what="the end of the agent")
            assert "refuses user agent" in stack["agent"].output
        finally:
            stack.kill()


async def _says(stack: Stack, service: str) -> None:
    async def said() -> bool:
        try:
            async with httpx.AsyncClient() as http:
                answer = await http.get(f"{stack.url(service)}/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == 503 and any("refuses user agent" in one for one in answer.json()["problems"])

    await wait_until(said, 20.0, what="the refusal at /readyz")


@asynccontextmanager
async def links(broker: Broker) -> AsyncIterator[Sequence[Link]]:
    """A connection as a bus makes it and one as FastStream's subscribers have it."""
    bus, listening = Link(broker, "test"), faststream_broker(broker, "test-bells")
    await bus.connect()
    await listening.start()
    try:
        yield bus, listening.link
    finally:
        bus.end()
        await bus.client.close()
        await listening.stop()


async def _refused(both: Sequence[Link], words: str) -> None:
    await wait_until(lambda: all(words in (link.refused or "") for link in both), 20.0, what="the refusals")
    assert all(words in (link.problem or "") for link in both)


async def _connected(both: Sequence[Link]) -> None:
    await wait_until(lambda: all(link.problem is None for link in both), 20.0, what="the connections")


def _bells(broker: Broker) -> BellSubscriber:
    async def ignore(_subject: str, _bell: Bell, _body: bytes) -> None:
        pass

    return BellSubscriber(broker, topology.AGENT_BELLS, ignore, lost=lambda: None)


async def _told(bells: BellSubscriber, bus: Bus, words: str | None) -> None:
    async def told() -> bool:
        problems = await bells.problems(bus)
        return not problems if words is None else any(words in problem for problem in problems)

    await wait_until(told, 20.0, what=f"{words} among the problems")


def _tls(files: Path) -> str:
    own = f'cert_file: "{files}/server.crt", key_file: "{files}/server.key"'
    return f'tls {{ {own}, ca_file: "{files}/ca.crt", verify: true }}'


def _users(password: str, directory: Path) -> str:
    return f"authorization {{ users: [{{user: agent, password: {password}}}] }}\n{store(directory)}"


async def _again(one: Server) -> None:
    one.running.kill()
    await one.running.start()


async def _with(one: Server, config: str) -> None:
    one.running.kill()
    one.configure(config)
    await one.running.start()
