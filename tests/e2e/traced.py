"""One Parley whose spans are received, with people, a bot and a model, for the cases of ``test_trace``."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from e2e.conftest import QUICK
from harness.bot_server import SECRET, BotRequest, Reply, running_bot
from harness.model_replies import Call, calls, says
from harness.model_replies import Reply as ModelReply
from harness.model_server import Asked, ModelServer, running_model_server
from harness.model_shop import KEY, Shop, running_shop
from harness.people import Person, simulator_of
from harness.spans import Spans, Told, span_receiver
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import QUICK_START
from parley_common.events import OutboundMessage, Priority
from parley_common.events import Reply as Message
from parley_common.identity import Identity
from parley_simulator.control import SimulatorControl
from parley_simulator.faults import Fault, Match, Place, Rule

BOT = """
brain = "webhook"
while_thinking = "restart"
failure = "Sorry."
[webhook]
retries = 1
"""
MODEL = """
brain = "llm"
[tools.order_status]
description = "The state of an order."
url = "{shop}/orders/{{number}}"
headers = {{ Authorization = "Bearer ${{SHOP_KEY}}" }}
parameters = {{ number = "the number of the order" }}
"""
SAID = ("follow me", "hold the line", "this fails", "news for you", "where is 1001")
SETTINGS = QUICK | {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "PARLEY_GATHER_S": "0.3",
    "PARLEY_ASK_AFTER_S": "4",
    "PARLEY_ACK_BUDGET_S": "2",
    "PARLEY_BACKFILL_EVERY_S": "1",
    "PARLEY_BACKFILL_AFTER_S": "1",
}
ENOUGH_S = 40.0
NOTHING: Mapping[str, object] = {}

_numbers = itertools.count(1)

Case = Callable[["World"], Coroutine[Any, Any, None]]


class Bot:
    """Says what it hears; what is to fail fails. ``held``: conversations that it thinks about without an end."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    async def __call__(self, request: BotRequest) -> object:
        """Answers."""
        texts = request.json["texts"]
        if "this fails" in texts:
            return Reply(status=503)
        while request.json["conversation"] in self.held:
            await asyncio.sleep(0.02)
        return {"messages": ["\n".join(texts)]}


@dataclass(kw_only=True)
class World:
    """A running Parley and all around it."""

    stack: Stack
    simulator: SimulatorControl
    spans: Spans
    bus: Bus
    bot: Bot
    asked: list[BotRequest]
    model: ModelServer
    shop: Shop
    folder: Path
    cases: dict[Case, asyncio.Task[None]] = field(default_factory=dict)

    async def play(self, *groups: Sequence[Case]) -> None:
        """Has the cases of each group happen beside one another, one group after the other."""
        for group in groups:
            tasks = {case: asyncio.create_task(case(self)) for case in group}
            await asyncio.wait(tasks.values())
            self.cases |= tasks

    async def over(self, case: Case) -> None:
        """Returns once the case is over; fails as it did."""
        await wait_until(lambda: case in self.cases, 5 * ENOUGH_S, what=f"the end of {case.__name__}")
        await self.cases[case]

    def person(self) -> Person:
        """Somebody whom no other case knows."""
        return Person(f"+1555016{next(_numbers):04d}", self.simulator)

    def conversation(self, person: Person) -> str:
        """As spans name it."""
        key = self.stack.environment["PARLEY_HASH_KEY"].encode()
        return Identity(key).conversation(QUICK_START, person.number)

    async def fault(self, person: Person, where: Place, what: Fault, **more: Any) -> str:
        """Something goes wrong, once, with what is texted to this person; returns the fault's id."""
        rule = Rule(where=where, what=what, match=Match(to=person.number), **{"times": 1, **more})
        return (await self.simulator.add_fault(rule)).id

    async def publish(
        self,
        person: Person,
        body: str,
        priority: Priority,
        *,
        origin: SpanContext | None,
        in_s: float | None = None,
    ) -> None:
        """Has a person texted without a turn, by somebody whose span is ``origin``."""
        now, name = datetime.now(UTC), secrets.token_hex(8)
        conversation = self.conversation(person)
        message = OutboundMessage(
            id=name,
            at=now,
            channel=QUICK_START,
            conversation=conversation,
            sender=self.stack.environment["TWILIO_PHONE_NUMBER"].split(",")[0],
            contact=person.number,
            expires_at=now + timedelta(days=1),
            messages=(Message(id=f"{name}-0", text=body),),
            priority=priority,
            not_before=None if in_s is None else now + timedelta(seconds=in_s),
        )
        span = trace.INVALID_SPAN if origin is None else NonRecordingSpan(origin)
        with trace.use_span(span):
            await self.bus.publish(topology.outbound(conversation, priority), message)

    async def path(self, person: Person, names: Sequence[str], status: str = "delivered") -> list[Told]:
        """The spans that lead to the fold of such a report, once they are these; fails where they never are."""

        def found() -> list[Told]:
            paths = [self.spans.path_to(span) for span in self.folds(person, status)]
            return next((path for path in paths if [span.name for span in path] == list(names)), [])

        return await wait_until(found, ENOUGH_S, what=f"a trace of {names}, one of {self.shown(person)},")

    async def span(self, person: Person, name: str, wanted: Mapping[str, object] = NOTHING) -> Told:
        """The person's span of this name with these attributes, once it has come."""

        def found() -> Told | None:
            spans = [span for span in self.spans.of_conversation(self.conversation(person)) if span.name == name]
            return next((span for span in spans if wanted.items() <= span.attributes.items()), None)

        told = await wait_until(found, ENOUGH_S, what=f"{name} {wanted}, one of {self.shown(person)},")
        assert told is not None
        return told

    def folds(self, person: Person, status: str) -> list[Told]:
        """The folds of such reports."""
        spans = self.spans.of_conversation(self.conversation(person))
        return [s for s in spans if s.name == "fold DeliveryReport" and s.attributes["twilio.status"] == status]

    def traces(self, person: Person) -> set[str]:
        """The traces that the conversation is in."""
        return {span.trace for span in self.spans.of_conversation(self.conversation(person))}

    def shown(self, person: Person) -> list[str]:
        """What there is, for a failed test to tell."""
        return [f"{s.trace[:4]} {s.name} {s.error}" for s in self.spans.of_conversation(self.conversation(person))]

    async def bot_hears(self, person: Person, *texts: str) -> None:
        """Returns once the bot was asked this in the person's conversation."""
        conversation = self.conversation(person)

        def is_asked() -> bool:
            told = [one.json for one in self.asked]
            return any(one["texts"] == list(texts) and one["conversation"] == conversation for one in told)

        await wait_until(is_asked, ENOUGH_S, what=f"the bot being asked {texts}")

    async def restart_with_model(self) -> None:
        """The agent crashes, and asks the model when it is back."""
        file = self.folder / "model.toml"
        file.write_text(MODEL.format(shop=self.shop.url))
        agent = self.stack["agent"]
        agent.environment |= {
            "PARLEY_AGENT_FILE": str(file),
            "PARLEY_LLM_BASE_URL": self.model.base_url,
            "PARLEY_MODEL": "test-model",
            "SHOP_KEY": KEY,
        }
        agent.kill()
        await agent.start(2 * ENOUGH_S)


def a_span(*, sampled: bool = True) -> SpanContext:
    """The span of somebody who is no part of Parley."""
    trace_id, span_id = secrets.randbits(127) + 1, secrets.randbits(63) + 1
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(int(sampled)))


def _looked_up(asked: Asked) -> ModelReply:
    """Looks into the shop's computer first."""
    return says("It is on its way.") if asked.tool_results else calls(Call("order_status", {"number": "1001"}))


@asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    """All of it, on ports of its own."""
    bot, file = Bot(), folder / "bot.toml"
    file.write_text(BOT)
    async with (
        span_receiver() as spans,
        running_bot(bot) as server,
        running_model_server() as model,
        running_shop() as shop,
    ):
        settings = SETTINGS | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": spans.url,
            "PARLEY_AGENT_FILE": str(file),
            "PARLEY_WEBHOOK_URL": server.url,
            "PARLEY_WEBHOOK_SECRET": SECRET,
        }
        model.otherwise = _looked_up
        async with running_stack(folder / "stack", settings=settings) as stack, simulator_of(stack) as simulator:
            bus = Bus(Broker(stack.nats_url), name="test")
            await bus.connect()
            try:
                yield World(
                    stack=stack,
                    simulator=simulator,
                    spans=spans,
                    bus=bus,
                    bot=bot,
                    asked=server.requests,
                    model=model,
                    shop=shop,
                    folder=folder,
                )
            finally:
                await bus.close()
