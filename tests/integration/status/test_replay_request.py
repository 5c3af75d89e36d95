"""An operator has a stored event folded again, by a request that says in words what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.status.rows import all_rows, fold_all
from integration.status.test_service import STATUS, World, rows_of, running_world
from parley_common import topology
from parley_common.requests import REPLAY, Answer, ReplayRequest, decode, encode
from parley_status.database import Database
from parley_status.projection import Recorded
from unit.status.samples import CONVERSATION, inbound, sent

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with running_world(tmp_path, {}) as made:
        yield made


async def ask(world: World, data: bytes) -> Answer:
    reply = await world.bus.nc.request(REPLAY, data, timeout=10)
    return decode(reply.data, Answer)


async def replay(world: World, stream: str, sequence: int) -> Answer:
    return await ask(world, encode(ReplayRequest(stream=stream, sequence=sequence)))


async def test_an_event_that_left_no_row_is_folded(world: World) -> None:
    seq = await world.bus.publish(topology.texts(CONVERSATION), inbound())
    await world.message("SMin")
    expected = await rows_of(world.database_url)
    database = Database(world.database_url)
    await database.write(lambda connection: connection.exec_driver_sql("DELETE FROM messages"))
    answer = await replay(world, topology.CONVERSATIONS, seq)
    assert (answer.ok, answer.words) == (True, f"CONVERSATIONS {seq} is folded: InboundMessage")
    assert await all_rows(database) == expected
    assert await replay(world, topology.CONVERSATIONS, seq) == answer
    assert await all_rows(database) == expected
    database.close()


async def test_what_cannot_be_done_is_said(world: World) -> None:
    text = await world.bus.publish(topology.texts(CONVERSATION), inbound())
    bad = await world.bus.js.publish(topology.texts(CONVERSATION), b"my secret \xff")
    large = await world.bus.publish(topology.sends(CONVERSATION), sent(segments=2**70))
    await world.bus.js.delete_msg(topology.CONVERSATIONS, text)
    for stream, sequence, words in (
        (topology.CONVERSATIONS, 999, "is not in its stream any more"),
        (topology.CONVERSATIONS, text, "is not in its stream any more"),
        (topology.CONVERSATIONS, bad.seq, "is still not an event that this release knows"),
        (topology.CONVERSATIONS, large, "cannot be folded: "),
        (topology.CONTROL, 1, "status does not read stream CONTROL"),
    ):
        answer = await replay(world, stream, sequence)
        assert not answer.ok
        assert words in answer.words
    for data in (b"", b"{}", b"\xff"):
        assert "names a stream and a sequence" in (await ask(world, data)).words
    assert "secret" not in world.stack[STATUS].output


async def test_of_two_replicas_one_answers(world: World) -> None:
    await world.stack.add_replica(STATUS)
    seq = await world.bus.publish(topology.texts(CONVERSATION), inbound())
    for _ in range(10):
        assert (await replay(world, topology.CONVERSATIONS, seq)).ok
    logs = [one.output for one in world.stack.running if one.row.name.startswith(STATUS)]
    assert sum(log.count('"replay"') for log in logs) == 10


async def test_a_database_in_trouble_is_said_and_the_request_can_be_repeated(world: World) -> None:
    seq = await world.bus.publish(topology.texts(CONVERSATION), inbound())
    await world.message("SMin")
    database = Database(world.database_url)
    await database.write(lambda connection: connection.exec_driver_sql("ALTER TABLE messages RENAME TO away"))
    answer = await replay(world, topology.CONVERSATIONS, seq)
    assert not answer.ok
    assert "the database is in trouble" in answer.words
    await database.write(lambda connection: connection.exec_driver_sql("ALTER TABLE away RENAME TO messages"))
    assert (await replay(world, topology.CONVERSATIONS, seq)).ok
    await fold_all(database, [Recorded(seq, inbound())])
    database.close()
