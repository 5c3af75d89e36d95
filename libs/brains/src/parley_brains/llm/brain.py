"""The brain that asks a language model, through pydantic-ai: a turn in, an answer out, within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic_ai import Agent
from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.messages import UserContent
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from parley_brains.agent_file import AgentFile
from parley_brains.brain import Brain, BrainFailed, Exchange, Message, Said, Turn
from parley_brains.llm.abilities import Doing, model_tools
from parley_brains.llm.asking import Asking, Line, NoAnswer, TooMuch
from parley_brains.llm.connection import Connection
from parley_brains.llm.endpoints import read_endpoints
from parley_brains.llm.failures import Cause, explain
from parley_brains.llm.history import fitting, messages, most_exchanges
from parley_brains.llm.ledger import Ledger
from parley_brains.llm.limits import MOST_ROUNDS, MOST_TOOL_CALLS, Budget
from parley_brains.llm.prompt import system_prompt
from parley_brains.llm.question import Question, Room, question_of
from parley_brains.llm.words import trailing_off
from parley_brains.tools.calling import Tools
from parley_common.settings import Environment

log = structlog.get_logger(__name__)

_OF_TIME_FOR_ROOM = 0.4
"""Of a turn's time, for waiting until its pictures have room. The rest is for an answer without them."""

_LIMITS = UsageLimits(request_limit=MOST_ROUNDS, tool_calls_limit=MOST_TOOL_CALLS)


def make_brain(file: AgentFile, folder: Path, environment: Environment) -> Brain:
    """The brain of a file, whose knowledge is in ``folder``. Raises ``SettingsError``; asks no server anything."""
    endpoints = read_endpoints(file.llm, environment)
    connections = [Connection(endpoint, thinks=file.llm.thinking) for endpoint in endpoints]
    return ModelBrain(file, folder, connections, Tools(file.tools, environment))


class ModelBrain:
    """Answers with a model."""

    acts = True

    def __init__(self, file: AgentFile, folder: Path, connections: Sequence[Connection], tools: Tools) -> None:
        self._file = file
        self._connections = connections
        self._tools = tools
        self._room = Room()
        self._free = asyncio.Semaphore(file.llm.most_at_once)
        self._agent: Agent[Doing, str] = Agent(
            output_type=str,
            deps_type=Doing,
            tools=model_tools(file, folder, tools),
            retries={"tools": 2, "output": 1},
            model_settings=ModelSettings(max_tokens=file.llm.answer_tokens),
        )

    async def answer(self, turn: Turn) -> Said:
        """What the model says. Raises ``BrainFailed`` in words for the operator."""
        ledger, doing = Ledger(turn.spent), Doing(turn.key)
        budget = Budget.starting_now(
            within_s=min(turn.within_s, self._file.reply.within_s), request_s=self._file.llm.request_timeout_s
        )
        try:
            async with asyncio.timeout(budget.left_s):
                text = await self._answer(turn, doing, budget, ledger)
        except (NoAnswer, UsageLimitExceeded, UnexpectedModelBehavior, TimeoutError) as error:
            if not doing.handed_over:
                timed_out = error.timed_out if isinstance(error, NoAnswer) else isinstance(error, TimeoutError)
                raise BrainFailed(_reason(error, budget), usage=ledger.usage, timed_out=timed_out) from None
            text = ""
        except Exception as error:
            if ledger.usage is None:
                raise
            log.exception("a turn broke off after a model was asked")
            raise BrainFailed(f"an error of Parley's own: {type(error).__name__}", usage=ledger.usage) from error
        if doing.handed_over and self._file.handoff.reply.strip():
            text = ""  # those words say how to come back
        messages = (Message(text=text),) if text else ()
        return Said(messages=messages, hand_over=doing.handed_over, usage=ledger.usage)

    async def close(self) -> None:
        """Ends all connections."""
        for connection in self._connections:
            await connection.close()
        await self._tools.close()

    async def _answer(self, turn: Turn, doing: Doing, budget: Budget, ledger: Ledger) -> str:
        """Asks with all there is, then with less where that is too much for the model."""
        wait_s = budget.left_s * _OF_TIME_FOR_ROOM
        async with question_of(turn, self._room, images=self._file.llm.images, within_s=wait_s) as question:
            return await self._about(question, turn, doing, budget, ledger)

    async def _about(self, question: Question, turn: Turn, doing: Doing, budget: Budget, ledger: Ledger) -> str:
        tokens = self._file.llm.history_tokens
        past = fitting(await turn.past(most_exchanges(tokens)), tokens) if tokens else ()
        lines = await self._lines(budget)
        with_pictures = True
        while True:
            shown = bool(question.pictures) and with_pictures
            less = ({Cause.TOO_LONG} if past or shown else set()) | ({Cause.REFUSED} if shown else set())
            try:
                asking = Asking(lines, budget, ledger, self._free, less=less)
                return await self._ask(
                    asking, self._prompt(turn), question.contents(with_pictures=shown), past, doing
                )
            except TooMuch as error:
                if error.failure.cause is Cause.TOO_LONG and past:
                    past = ()
                else:
                    with_pictures = False

    async def _ask(
        self,
        asking: Asking,
        prompt: str,
        contents: str | Sequence[UserContent],
        past: Sequence[Exchange],
        doing: Doing,
    ) -> str:
        ran = await self._agent.run(
            contents,
            message_history=messages(past),
            model=asking,
            instructions=prompt,
            deps=doing,
            usage_limits=_LIMITS,
            infer_name=False,
        )
        text = ran.output.strip()
        return trailing_off(text) if ran.response.finish_reason == "length" else text

    async def _lines(self, budget: Budget) -> list[Line]:
        """The models that can be asked. One whose name cannot be found out is passed over."""
        lines: list[Line] = []
        reason = ""
        for connection in self._connections:
            timeout_s = budget.for_request_s
            try:
                async with self._free:
                    model = await connection.model(timeout_s)
                lines.append(Line(connection=connection, model=model))
            except Exception as error:
                reason = reason or explain(error, connection.endpoint, timeout_s=timeout_s).reason
        if not lines:
            raise NoAnswer(reason)
        return lines

    def _prompt(self, turn: Turn) -> str:
        file = self._file
        return system_prompt(
            file, turn.kind, datetime.now(UTC), knows=bool(file.knowledge), hands_over=bool(file.handoff.words)
        )


def _reason(error: Exception, budget: Budget) -> str:
    match error:
        case NoAnswer():
            return str(error)
        case UsageLimitExceeded():
            return f"the model went on calling tools ({MOST_ROUNDS} rounds, {MOST_TOOL_CALLS} calls at most)"
        case UnexpectedModelBehavior():
            return "the model went on calling tools in ways that make no sense"
    return f"the model had no answer within {budget.total_s:.3g} s"
