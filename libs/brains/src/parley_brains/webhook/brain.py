"""The brain that asks the operator's own bot: the turn goes out as signed JSON, messages come back."""

from __future__ import annotations

import structlog

from parley_brains.agent_file import AgentFile, ReplyLimits
from parley_brains.brain import Brain, BrainFailed, Said, Turn
from parley_brains.webhook.answer import NOTHING, Read, read_answer, said
from parley_brains.webhook.bot import read_bot
from parley_brains.webhook.choices import unheard
from parley_brains.webhook.client import Client
from parley_brains.webhook.elements import Misshapen, Reader
from parley_brains.webhook.question import ask, encode
from parley_brains.webhook.rasa import read_rasa
from parley_brains.webhook.settings import Form, Webhook
from parley_common.settings import Environment

log = structlog.get_logger(__name__)

_MARGIN = 0.05
"""Of the time for an answer: the brain gives up so much earlier, and can still say why."""


def make_brain(file: AgentFile, environment: Environment) -> Brain:
    """The brain of an agent file; raises ``SettingsError``."""
    settings = file.webhook or Webhook()
    bot = read_bot(settings, environment)
    return WebhookBrain(settings, file.reply, Client(bot, settings))


class WebhookBrain:
    """Asks one bot."""

    acts = True

    def __init__(self, settings: Webhook, limits: ReplyLimits, client: Client) -> None:
        self._settings = settings
        self._limits = limits
        self._client = client
        self._told: set[str] = set()

    async def answer(self, turn: Turn) -> Said:
        """What the bot says. Raises ``BrainFailed``."""
        question = await ask(turn, self._settings)
        within_s = min(turn.within_s, self._limits.within_s) * (1 - _MARGIN)
        body = await self._client.ask(encode(question, self._settings.form), turn.key, within_s=within_s)
        try:
            read = self._read(body, turn)
            self._tell_unheard(read)
            return said(read, turn)
        except Misshapen as error:
            raise BrainFailed(f"the bot's answer is not as it should be: {error}") from None

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.close()

    def _read(self, body: bytes | None, turn: Turn) -> Read:
        if body is None:
            return NOTHING
        reader = Reader(kind=turn.kind, most_characters=self._limits.most_characters)
        return read_rasa(body, turn, reader) if self._settings.form is Form.RASA else read_answer(body, reader)

    def _tell_unheard(self, read: Read) -> None:
        """Warns once of each way in which a button's title, texted back, never reaches the bot."""
        for reason in filter(None, (unheard(choice.title) for choice in read.choices)):
            if reason not in self._told:
                self._told.add(reason)
                log.warning("a button cannot be taken by its title, only by its number", reason=reason)
