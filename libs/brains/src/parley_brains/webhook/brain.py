"""The brain that asks the operator's own bot: the turn goes out as signed JSON, messages come back."""

from __future__ import annotations

from parley_brains.agent_file import AgentFile
from parley_brains.brain import Brain, BrainFailed, Said, Turn
from parley_brains.webhook.answer import NOTHING, Read, read_answer, said
from parley_brains.webhook.bot import read_bot
from parley_brains.webhook.client import Client
from parley_brains.webhook.elements import Misshapen
from parley_brains.webhook.question import ask, encode
from parley_brains.webhook.rasa import read_rasa
from parley_brains.webhook.settings import Form, Webhook
from parley_common.settings import Environment

_MARGIN = 0.05
"""Of the time for an answer: the brain gives up so much earlier, and can still say why."""


def make_brain(file: AgentFile, environment: Environment) -> Brain:
    """The brain of an agent file; raises ``SettingsError``."""
    settings = file.webhook or Webhook()
    bot = read_bot(settings, environment)
    return WebhookBrain(settings, Client(bot, settings, within_s=file.reply.within_s * (1 - _MARGIN)))


class WebhookBrain:
    """Asks one bot."""

    acts = True

    def __init__(self, settings: Webhook, client: Client) -> None:
        self._settings = settings
        self._client = client

    async def answer(self, turn: Turn) -> Said:
        """What the bot says. Raises ``BrainFailed``."""
        question = await ask(turn, self._settings)
        body = await self._client.ask(encode(question, self._settings.form), turn.key)
        try:
            return said(self._read(body, turn), turn)
        except Misshapen as error:
            raise BrainFailed(f"the bot's answer is not as it should be: {error}") from None

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.close()

    def _read(self, body: bytes | None, turn: Turn) -> Read:
        if body is None:
            return NOTHING
        return read_rasa(body, turn) if self._settings.form is Form.RASA else read_answer(body, turn)
