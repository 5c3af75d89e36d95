"""The promise: a delivery state only moves forward, whatever order, repetition or delay the callbacks have, and
final states that contradict are recorded as a conflict. Through the running service and a real broker.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pytest

from harness.waiting import wait_until
from integration.status.test_service import World, running_world
from parley_common import topology
from parley_common.events import DeliveryReport, Reply, Slot
from parley_status.delivery import RANKS
from unit.status.samples import attempted, done, report, sent

pytestmark = pytest.mark.anyio

FINALS = ("canceled", "delivered", "failed", "undelivered")
PROGRESS = ("queued", "sending", "sent", "delivered", "read")

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    async with running_world(tmp_path_factory.mktemp("p10"), {}) as made:
        yield made


@dataclass(frozen=True)
class Text:
    """A reply of one part in a conversation of its own."""

    world: World
    number: int
    names_part: bool

    @property
    def conversation(self) -> str:
        return f"{self.number:032x}"

    @property
    def part_id(self) -> str:
        return f"part-{self.number}"

    @property
    def sid(self) -> str:
        return f"SM{self.number:032x}"

    def report(self, status: str, second: float = 5) -> DeliveryReport:
        """A status callback about it, as ingress stores it."""
        fields: dict[str, Any] = {
            "id": f"{self.sid}-{status}-{second}",
            "sid": self.sid,
            "conversation": self.conversation,
            "part_id": self.part_id if self.names_part else None,
        }
        return report(status, second=second, **fields)

    async def publish_report(self, event: DeliveryReport) -> None:
        await self.world.bus.publish(topology.reports(self.conversation, event.part_id or "unknown"), event)

    async def publish_turn(self) -> None:
        """The agent has answered, and egress has begun to send."""
        turn = done(1, 1, conversation=self.conversation, messages=(Reply(id=self.message_id, text="Yes."),))
        await self.world.bus.publish(topology.turn_done(self.conversation), turn)
        begun = msgspec.structs.replace(attempted(), id=f"attempted-{self.number}", **self._part())
        await self.world.bus.publish(topology.sends(self.conversation), begun)

    async def publish_sent(self) -> None:
        """Egress has Twilio's answer."""
        event = sent(id=f"sent-{self.number}", sid=self.sid, **self._part())
        await self.world.bus.publish(topology.sends(self.conversation), event)

    @property
    def message_id(self) -> str:
        return f"reply-{self.number}"

    async def message(self) -> Any:
        return await self.world.message(self.message_id)

    async def part_when(self, state: str, reports: int) -> Any:
        """The part as the API shows it, once it has its SID, this state and so many reports."""

        async def there() -> Any:
            (part,) = (await self.message())["parts"] or [None]
            settled = part and part["sid"] and part["state"] == state and len(part["reports"]) == reports
            return part if settled else None

        return await wait_until(there, 20.0, what=f"{reports} reports and the state {state}")

    def _part(self) -> dict[str, Any]:
        slot = Slot(turn=1, message=0, part=0)
        names = {"part_id": self.part_id, "message_id": self.message_id, "conversation": self.conversation}
        return {**names, "slot": slot, "of": 1}


@pytest.fixture(params=[True, False], ids=["names its part", "has the SID only"])
def text(world: World, request: pytest.FixtureRequest) -> Text:
    return Text(world, next(_numbers), request.param)


async def folded(world: World, kind: str) -> float:
    """How many events of a type the service has folded."""
    name = f'parley_status_events_folded_total{{type="{kind}"}} '
    return sum(float(line.removeprefix(name)) for line in (await world.metrics()).splitlines() if name in line)


@pytest.mark.parametrize("statuses", [("delivered",), ("sent",), ("sent", "undelivered")], ids="+".join)
async def test_a_report_before_the_part_is_sent_waits_for_it(text: Text, statuses: Sequence[str]) -> None:
    await text.publish_turn()
    before = await folded(text.world, "DeliveryReport")
    for second, status in enumerate(statuses):
        await text.publish_report(text.report(status, second))
    await wait_until(lambda: _more(text.world, before + len(statuses)), what="the reports being folded")
    if not text.names_part:
        (part,) = (await text.message())["parts"]
        assert (part["state"], part["reports"]) == ("sending", [])
    await text.publish_sent()
    part = await text.part_when(statuses[-1], len(statuses))
    assert (part["sid"], part["conflict"]) == (text.sid, [])
    assert (await text.message())["state"] == statuses[-1]


async def _more(world: World, count: float) -> bool:
    return await folded(world, "DeliveryReport") >= count


@pytest.mark.parametrize("names_part", [True, False])
async def test_every_order_of_sent_and_reports_shows_the_same(world: World, names_part: bool) -> None:
    steps = ("PartSent", "queued", "sent", "delivered")
    texts = {order: Text(world, next(_numbers), names_part) for order in itertools.permutations(steps)}
    for order, one in texts.items():
        await one.publish_turn()
        for step in order:
            await (one.publish_sent() if step == "PartSent" else one.publish_report(_step(one, step)))
    shown = {order: _anonymous(await one.part_when("delivered", 3), one) for order, one in texts.items()}
    assert len(shown) == 24
    first = shown[steps]
    assert {order: part for order, part in shown.items() if part != first} == {}
    assert (first["status"], first["conflict"]) == ("delivered", [])


def _step(text: Text, status: str) -> DeliveryReport:
    return text.report(status, second=5 + PROGRESS.index(status))


def _anonymous(part: Any, text: Text) -> Any:
    """The part without what differs from text to text."""
    own = (text.sid, text.part_id)
    return msgspec.json.decode(msgspec.json.encode(part).decode().replace(own[0], "SM").replace(own[1], "part"))


async def _has_part(text: Text) -> bool:
    return bool((await text.message())["parts"])


@pytest.mark.parametrize("seed", range(3))
async def test_p10_the_state_never_goes_back_while_late_and_repeated_reports_come(text: Text, seed: int) -> None:
    chance = random.Random(seed)
    reports = [text.report(status, second=n) for n, status in enumerate(PROGRESS)]
    late = reports + chance.choices(reports, k=10)
    chance.shuffle(late)
    await text.publish_turn()
    await text.publish_sent()
    await wait_until(lambda: _has_part(text), what="the part being folded")
    seen = ["queued"]
    for event in late:
        before = await folded(text.world, "DeliveryReport")
        await text.publish_report(event)
        await wait_until(partial(_more, text.world, before + 1), what="the report being folded")
        (part,) = (await text.message())["parts"]
        seen.append(part["status"])
        assert part["conflict"] == []
    ranks = [RANKS[status] for status in seen]
    assert ranks == sorted(ranks)
    assert seen[-1] == "read"


@pytest.mark.parametrize("finals", list(itertools.permutations(FINALS, 2)), ids="+".join)
async def test_p10_final_states_that_contradict_are_a_conflict_and_do_not_flap(
    text: Text, finals: tuple[str, str]
) -> None:
    await text.publish_turn()
    await text.publish_sent()
    holds = max(finals, key=list(RANKS).index)
    for second, status in enumerate(finals):
        await text.publish_report(text.report(status, second))
    part = await text.part_when(holds, 2)
    assert part["conflict"] == sorted(finals)
    before = await folded(text.world, "DeliveryReport")
    for second, status in enumerate(finals * 2):
        await text.publish_report(text.report(status, second=10 + second))
    await text.publish_report(text.report("sent", second=20))
    await wait_until(lambda: _more(text.world, before + 5), what="the repetitions being folded")
    part = await text.part_when(holds, 7)
    assert (part["status"], part["conflict"]) == (holds, sorted(finals))
    message = await text.message()
    assert message["state"] == holds
    assert (message["failure"] is None) is (holds == "delivered")
