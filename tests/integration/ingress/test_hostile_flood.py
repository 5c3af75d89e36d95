"""Promises P1 and P2 in a flood: hostile requests of every kind, genuine texts among them, one real ingress.

``PARLEY_FLOOD`` says how many requests; the full number is 100000.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import anyio
import pytest

from harness.running import Running
from harness.stack import Stack
from integration.ingress.hostile import CLASSES, WEIGHTS, Shot
from integration.ingress.sender import PERSON, SETTINGS, new_sid, text, texts
from integration.ingress.wire import Wire, post, status_of, wired
from parley_common import topology
from parley_common.bus import Bus

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

COUNT = int(os.environ.get("PARLEY_FLOOD", "10000"))
SEED = 20_261_121
AT_ONCE = 8
GENUINE_EVERY = 50
MOST_GROWTH_MIB = 60
EXPECTED = {200, 400, 403, 404, 405, 413, 415, 431}


@dataclass
class Seen:
    """What was sent and what came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    by_class: Counter[tuple[str, int]] = field(default_factory=Counter)
    plain_text: int = 0
    genuine: list[str] = field(default_factory=list)


@pytest.fixture
async def lenient(broker: Stack) -> Running:
    running = broker.prepare("ingress-1", "ingress", {**SETTINGS, "PARLEY_BACKFILL_EVERY_S": "0"})
    await running.start()
    return running


@pytest.fixture
async def strict(broker: Stack) -> Running:
    """Takes SharedKeys only."""
    settings = {**SETTINGS, "TWILIO_WEBHOOK_SHARED_KEYS": "key1=secret", "PARLEY_BACKFILL_EVERY_S": "0"}
    running = broker.prepare("ingress-2", "ingress", settings)
    await running.start()
    return running


class Attacker:
    """Keeps one connection to each ingress, as long as it lasts."""

    def __init__(self, broker: Stack, chance: random.Random, seen: Seen) -> None:
        self._urls = {False: broker.url("ingress-1"), True: broker.url("ingress-2")}
        self._chance = chance
        self._seen = seen
        self._wires: dict[bool, tuple[AsyncExitStack, Wire]] = {}

    async def attack(self, count: int) -> None:
        """So many requests, one after the other."""
        for number in range(count):
            if number % GENUINE_EVERY == 0:
                await self._genuine()
            else:
                (kind,) = self._chance.choices(CLASSES, WEIGHTS)
                await self._fire(kind.__name__, kind(self._chance))
        for strict in list(self._wires):
            await self._leave(strict=strict)

    async def _genuine(self) -> None:
        fields = text(f"ECHO {secrets.token_hex(4)}")
        wire = await self._wire(strict=False)
        await wire.send(post(fields))
        answer = await wire.answer()
        assert answer, "a genuine text got no answer"
        self._note("genuine", answer)
        assert status_of(answer) == 200, answer
        self._seen.genuine.append(fields["MessageSid"])

    async def _fire(self, name: str, shot: Shot) -> None:
        wire = await self._wire(strict=shot.strict)
        await wire.send(shot.data)
        for _ in range(1 if shot.answers is None else shot.answers):
            answer = await wire.answer()
            if answer:
                self._note(name, answer)
            assert answer or shot.answers is None, f"{name} got no answer: {shot.data[:300]!r}"
        if not shot.answers:
            await self._leave(strict=shot.strict)

    def _note(self, name: str, answer: bytes) -> None:
        self._seen.statuses[status_of(answer)] += 1
        self._seen.by_class[name, status_of(answer)] += 1
        self._seen.plain_text += b"text/plain" in answer.lower()

    async def _wire(self, *, strict: bool) -> Wire:
        if strict in self._wires and not self._wires[strict][1].reader.at_eof():
            return self._wires[strict][1]
        await self._leave(strict=strict)
        stack = AsyncExitStack()
        wire = await stack.enter_async_context(wired(self._urls[strict]))
        self._wires[strict] = (stack, wire)
        return wire

    async def _leave(self, *, strict: bool) -> None:
        if strict in self._wires:
            await self._wires.pop(strict)[0].aclose()


async def flood(broker: Stack, seen: Seen, count: int, seed: int) -> None:
    async with anyio.create_task_group() as group:
        for number in range(AT_ONCE):
            attacker = Attacker(broker, random.Random(f"{seed}-{number}"), seen)
            group.start_soon(attacker.attack, count // AT_ONCE)


async def test_a_flood_of_hostile_requests_costs_no_text_no_memory_and_no_5xx(
    broker: Stack, bus: Bus, lenient: Running, strict: Running
) -> None:
    seen = Seen()
    await flood(broker, seen, 1_000, SEED + 1)
    before = {one.row.name: one.memory_mib for one in (lenient, strict)}
    started_s = anyio.current_time()
    await flood(broker, seen, COUNT, SEED)
    took_s = anyio.current_time() - started_s
    after = {one.row.name: one.memory_mib for one in (lenient, strict)}
    sys.stdout.write(f"{COUNT} requests in {took_s:.1f} s, {COUNT / took_s:.0f}/s, MiB {before} -> {after}\n")
    sys.stdout.write(f"{dict(sorted(seen.statuses.items()))}\n")

    assert set(seen.statuses) <= EXPECTED, seen.statuses
    assert {kind.__name__ for kind in CLASSES} - {name for name, _ in seen.by_class} <= {"cut_off"}
    assert seen.plain_text == 0
    assert lenient.is_alive
    assert strict.is_alive
    for one in (lenient, strict):
        assert "Traceback" not in one.output
        assert '"exception"' not in one.output
        assert after[one.row.name] - before[one.row.name] < MOST_GROWTH_MIB
    assert [message.id for message in await texts(bus, PERSON)] != []
    assert await stored_ids(bus) == set(seen.genuine)
    for stream in (topology.REPORTS, topology.CONSENT):
        assert (await bus.js.stream_info(stream)).state.messages == 0
    async with wired(broker.url("ingress-1")) as wire:
        await wire.send(post(text(MessageSid=new_sid())))
        assert status_of(await wire.answer()) == 200


async def stored_ids(bus: Bus) -> set[str]:
    """The SIDs of all texts in the stream, each of which is there once."""
    state = (await bus.js.stream_info(topology.CONVERSATIONS)).state
    kept = [message.id for message in await texts(bus, PERSON)]
    assert len(kept) == len(set(kept)) == state.messages
    return set(kept)
