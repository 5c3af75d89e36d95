"""One run: a Parley, people who text, processes that are hurt, a Twilio that misbehaves; rest, and a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from chaos.judge import Sent, Verdict, Written, explained, judge
from chaos.parley import NUMBERS, SETTLE_S, Parley, running_parley
from chaos.plan import CLIENT_TIMEOUT_S, Hurt, Plan, Texting, Trouble
from chaos.stories import bells_are_quiet, marks_in, read_stories
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import InboundText, MessageView
from parley_simulator.messages import Answer

_RETRY_PAUSE_S = 1.0
"""How long Twilio waits before it posts a webhook again."""

_LOOK_EVERY_S = 1.0
_READY_WITHIN_S = 30.0
_STALE_POST_S = CLIENT_TIMEOUT_S + 1.0
"""How long a POST that was under way when all came to rest may still take."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run came to.

    ``hurts``, ``faults``, ``errors``: what was done to processes, what the simulator did, and what the services
    logged as errors, each with how often. ``died``: who ended without being killed. ``drain_s``: from the end of
    the hurting until all was answered, or the patience was over; ``came_to_rest``: which of both.
    """

    plan: Plan
    verdict: Verdict
    hurts: dict[str, int]
    faults: dict[str, int]
    errors: dict[str, int]
    died: tuple[str, ...]
    drain_s: float
    came_to_rest: bool

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept and all came to rest in time."""
        return self.verdict.is_clean and self.came_to_rest


async def run(plan: Plan, directory: Path, *, patience_s: float, say: Say) -> Result:
    """Carries out a plan; its logs stay in ``directory``."""
    async with running_parley(directory, plan.broker) as parley:
        await parley.simulator.change_settings(retry_pause_s=_RETRY_PAUSE_S)
        say(f"hurting for {plan.size.seconds:g} s")
        faults: dict[str, int] = {}
        async with anyio.create_task_group() as watching:
            watching.start_soon(parley.watch)
            await _carry_out(plan, parley, faults)
            await _all_ready(parley)
            say("waiting until all is answered")
            started_s = time.monotonic()
            came_to_rest = await _rest(parley, started_s + patience_s)
            drain_s = time.monotonic() - started_s
            watching.cancel_scope.cancel()
        await anyio.sleep(_STALE_POST_S)
        written, sent = await _messages(parley)
        verdict = judge(written, await read_stories(parley.stack.nats_url), sent, SETTLE_S)
    return Result(
        plan=plan,
        verdict=verdict,
        hurts=dict(parley.hurts),
        faults=faults,
        errors=dict(parley.errors_logged()),
        died=tuple(parley.died),
        drain_s=round(drain_s, 1),
        came_to_rest=came_to_rest,
    )


async def _carry_out(plan: Plan, parley: Parley, faults: dict[str, int]) -> None:
    async with anyio.create_task_group() as group:
        for trouble in plan.troubles:
            group.start_soon(_misbehave, parley.simulator, trouble, faults)
        for hurt in plan.hurts:
            group.start_soon(_hurt, parley, hurt)
        group.start_soon(_write, parley.simulator, plan.texts)


async def _misbehave(simulator: SimulatorControl, trouble: Trouble, faults: dict[str, int]) -> None:
    await anyio.sleep(trouble.at_s)
    active = await simulator.add_fault(trouble.rule)
    await anyio.sleep(trouble.for_s)
    fired = next((one.fired for one in await simulator.faults() if one.id == active.id), 0)
    await simulator.remove_fault(active.id)
    name = f"{trouble.rule.where.value} {_name(trouble)}"
    faults[name] = faults.get(name, 0) + fired


def _name(trouble: Trouble) -> str:
    rule = trouble.rule
    return f"{rule.what.value} {rule.status}" if rule.what.value.startswith("status") else rule.what.value


async def _hurt(parley: Parley, hurt: Hurt) -> None:
    await anyio.sleep(hurt.at_s)
    await (parley.kill if hurt.way == "kill" else parley.freeze)(hurt.who, hurt.for_s)


async def _write(simulator: SimulatorControl, texts: Sequence[Texting]) -> None:
    """Sends each text when it is due; where this machine is too slow, as soon as it can."""
    started_s = time.monotonic()
    for text in texts:
        await anyio.sleep(max(0.0, started_s + text.at_s - time.monotonic()))
        to = NUMBERS[text.person % len(NUMBERS)]
        await simulator.text(InboundText(sender=_number(text.person), to=to, body=f"ECHO t{text.mark}"))


def _number(person: int) -> str:
    return f"+1555{2_000_000 + person:07d}"


async def _all_ready(parley: Parley) -> None:
    for one in (*parley.brokers.running.values(), *parley.stack.running):
        if not one.row.is_step:
            await one.ready(_READY_WITHIN_S)


async def _rest(parley: Parley, deadline_s: float) -> bool:
    """Returns once all is answered and no bell rings; False where that was not so by the deadline."""
    bus = Bus(Broker(parley.stack.nats_url), name="chaos-rest")
    await bus.connect()
    try:
        while time.monotonic() < deadline_s:
            if await _is_at_rest(parley, bus):
                return True
            await anyio.sleep(_LOOK_EVERY_S)
    finally:
        await bus.close()
    return False


async def _is_at_rest(parley: Parley, bus: Bus) -> bool:
    try:
        if not await bells_are_quiet(bus):
            return False
        written, sent = await _messages(parley)
        if any(text.why_not == Answer.PENDING.value for text in written):
            return False
        return explained(written, await read_stories(parley.stack.nats_url), sent)
    except BROKER_TROUBLE:
        return False


async def _messages(parley: Parley) -> tuple[list[Written], list[Sent]]:
    written: list[Written] = []
    sent: list[Sent] = []
    for message in await _all(parley.simulator):
        if message.direction == "inbound":
            written.append(_written(message, parley.door.answered.get(message.sid)))
        else:
            sent.append(Sent(contact=message.to, body=message.body, at=message.accepted_at))
    return written, sent


def _written(message: MessageView, accepted_at: float | None) -> Written:
    open_ones = (Answer.PENDING, Answer.RETRYING)
    why_not = Answer.PENDING.value if message.answer in open_ones else message.answer_note or "no answer"
    return Written(
        sid=message.sid,
        contact=message.sender or "",
        mark=marks_in(message.body)[0],
        accepted_at=accepted_at,
        why_not="" if accepted_at is not None else why_not,
    )


async def _all(simulator: SimulatorControl) -> list[MessageView]:
    found: list[MessageView] = []
    since, more = 0, True
    while more:
        page = await simulator.messages(since_sequence=since, limit=5_000)
        found += page.messages
        since, more = page.last_sequence, page.more
    return found
