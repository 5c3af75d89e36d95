"""Pictures of many turns at once: few are in memory together, and whoever finds no room is answered without."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from harness.model_replies import says
from harness.model_server import ModelServer
from integration.brains.models import agent_file, brain_at, turn
from parley_brains.brain import Attachment
from parley_brains.llm.question import MOST_BYTES_AT_ONCE, Room

pytestmark = pytest.mark.anyio


@dataclass
class Album:
    """Pictures of one size. ``read``: bytes that were read so far."""

    size: int
    read: int = 0

    def picture(self) -> Attachment:
        """One of them."""

        async def read() -> bytes:
            self.read += self.size
            return b"\xff\xd8\xff" + bytes(self.size - 3)

        return Attachment(content_type="image/jpeg", size=self.size, read=read)


async def test_of_waiting_turns_few_pictures_are_in_memory(server: ModelServer) -> None:
    server.otherwise = says("A cat.", delay_s=60.0)
    album = Album(3_700_000)
    async with brain_at(server, agent_file(llm={"request_timeout_s": 60.0}, reply={"within_s": 80.0})) as brain:
        tasks = [
            asyncio.create_task(brain.answer(turn(key=f"k{n}", attachments=(album.picture(), album.picture()))))
            for n in range(40)
        ]
        async with asyncio.timeout(30.0):
            while len(server.asked) < 4:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        assert 0 < album.read <= MOST_BYTES_AT_ONCE
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.long
async def test_a_thousand_turns_with_pictures_are_all_answered(server: ModelServer) -> None:
    server.otherwise = lambda asked: says(f"Seen: {len(asked.pictures)}", delay_s=0.05)
    album = Album(20_000)
    async with brain_at(server, agent_file(reply={"within_s": 110.0})) as brain:
        turns = [turn(key=f"k{n}", attachments=(album.picture(),)) for n in range(1000)]
        answers = await asyncio.gather(*map(brain.answer, turns))
    assert [answer.messages[0].text for answer in answers] == ["Seen: 1"] * 1000


async def test_who_finds_no_room_is_answered_without_pictures(server: ModelServer) -> None:
    album = Album(3_700_000)
    server.otherwise = lambda asked: says(f"Seen: {len(asked.pictures)}", delay_s=8.0 if asked.pictures else 0.0)
    async with brain_at(server, agent_file(reply={"within_s": 16.0})) as brain:
        answers = await asyncio.gather(
            *(brain.answer(turn(key=f"k{n}", attachments=(album.picture(), album.picture()))) for n in range(6))
        )
    texts = sorted(answer.messages[0].text for answer in answers)
    assert texts == ["Seen: 0"] * 2 + ["Seen: 2"] * 4
    assert sum("a picture of type image/jpeg that you cannot see" in asked.question for asked in server.asked) == 2


async def test_room_is_given_in_turn_and_comes_back_from_whoever_leaves() -> None:
    room, order = Room(100), list[str]()

    async def enter(name: str, size: int) -> None:
        await room.take(size)
        order.append(name)

    await enter("first", 80)
    leaving, small = (asyncio.create_task(enter(name, size)) for name, size in (("large", 90), ("small", 20)))
    await asyncio.sleep(0.01)
    assert order == ["first"]
    leaving.cancel()
    await small
    room.give(80)
    room.give(20)
    await asyncio.wait_for(enter("all", 100), 5.0)
    assert order == ["first", "small", "all"]
