"""A webhook brain over a real bot, and turns to ask it about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.bot_server import SECRET, BotServer
from parley_brains.agent_file import AgentFile, ReplyLimits
from parley_brains.brain import Brain, BrainFailed, Turn
from parley_brains.webhook.brain import make_brain
from parley_brains.webhook.settings import Webhook

PERSON, NUMBER = "+15550100123", "+15550100999"
KEY, CONVERSATION = "a1" * 16, "c0" * 16
ENVIRONMENT = {"PARLEY_WEBHOOK_SECRET": SECRET}


def a_turn(*texts: str, **fields: Any) -> Turn:
    """A turn of one person."""
    given = {
        "key": KEY,
        "channel": "default",
        "conversation": CONVERSATION,
        "contact": PERSON,
        "recipient": NUMBER,
    }
    return Turn(texts=texts or ("Where is my order?",), **{**given, **fields})


@asynccontextmanager
async def asking(
    url: str, *, within_s: float = 30.0, environment: dict[str, str] | None = None, **fields: Any
) -> AsyncIterator[Brain]:
    """The brain of an agent file that names this bot."""
    file = AgentFile(webhook=Webhook(url=url, **fields), reply=ReplyLimits(within_s=within_s))
    brain = make_brain(file, ENVIRONMENT if environment is None else environment)
    try:
        yield brain
    finally:
        await brain.close()


async def answers(bot: BotServer, *texts: str, **fields: Any) -> list[str]:
    """What the bot answers to a turn of these texts."""
    async with asking(bot.url, **fields) as brain:
        return [message.text for message in (await brain.answer(a_turn(*texts))).messages]


async def failure(bot: BotServer, **fields: Any) -> str:
    """Why a turn has no answer, without the bot's address. It names nobody, and no secret."""
    async with asking(bot.url, **fields) as brain:
        with pytest.raises(BrainFailed) as failed:
            await brain.answer(a_turn("my secret question"))
    reason = str(failed.value)
    assert not any(word in reason for word in (PERSON, NUMBER, "secret question", SECRET, "/turns"))
    return reason.replace(bot.origin, "BOT")
