"""A model's brain tells what each request took as soon as it knows, and keeps within what is left of the turn."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from harness.model_replies import Call, calls, hangs, says
from harness.model_server import ModelServer
from integration.brains.models import agent_file, brain_at, turn
from parley_brains.brain import BrainFailed
from parley_common.events import Usage

pytestmark = pytest.mark.anyio

HANDS_OVER = {"words": ["HUMAN"], "reply": ""}


async def test_each_request_is_told_and_all_of_them_are_the_usage(server: ModelServer) -> None:
    told: list[Usage] = []
    server.then(calls(Call("hand_over_to_a_person"), usage=(70, 9)), says("A person comes.", usage=(30, 5)))
    async with brain_at(server, agent_file(handoff=HANDS_OVER)) as brain:
        answer = await brain.answer(replace(turn(), spent=told.append))
    assert [(one.input_tokens, one.output_tokens) for one in told] == [(70, 9), (30, 5)]
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (100, 14)


async def test_a_turn_of_which_little_is_left_is_answered_within_that(server: ModelServer) -> None:
    server.otherwise = hangs()
    file, began = agent_file(llm={"request_timeout_s": 20.0}, reply={"within_s": 40.0}), time.monotonic()
    async with brain_at(server, file) as brain:
        with pytest.raises(BrainFailed, match=r"within 3\.2 s"):
            await brain.answer(replace(turn(), within_s=4.0))
    assert time.monotonic() - began < 20.0


async def test_a_model_that_hands_over_and_then_hangs_has_handed_over(server: ModelServer) -> None:
    server.then(calls(Call("hand_over_to_a_person"), usage=(70, 9)))
    server.otherwise = hangs()
    file = agent_file(llm={"request_timeout_s": 20.0}, reply={"within_s": 40.0}, handoff=HANDS_OVER)
    async with brain_at(server, file) as brain:
        answer = await brain.answer(replace(turn(), within_s=4.0))
    assert answer.hand_over
