"""A thousand turns at once: all answered, and the server is not asked more at one time than the file allows."""

from __future__ import annotations

import asyncio

import pytest

from harness.model_replies import says
from harness.model_server import ModelServer, blocking_model_server
from integration.brains.models import agent_file, brain_at, turn

pytestmark = pytest.mark.anyio


@pytest.mark.long
async def test_a_thousand_turns_at_once_are_all_answered(server: ModelServer) -> None:
    server.otherwise = lambda asked: says(f"Answer to {asked.question}", delay_s=0.2)
    file = agent_file(llm={"most_at_once": 40}, reply={"within_s": 110.0})
    async with brain_at(server, file) as brain:
        answers = await asyncio.gather(*(brain.answer(turn(f"text {n}", key=f"k{n}")) for n in range(1000)))
    assert [answer.messages[0].text for answer in answers] == [f"Answer to text {n}" for n in range(1000)]
    assert 20 <= server.most_at_once <= 40


def test_the_server_is_there_for_tests_without_an_event_loop() -> None:
    async def ask(server: ModelServer) -> str:
        async with brain_at(server) as brain:
            return (await brain.answer(turn())).messages[0].text

    with blocking_model_server(says("At nine.")) as server:
        assert asyncio.run(ask(server)) == "At nine."
        assert server.asked[0].question
