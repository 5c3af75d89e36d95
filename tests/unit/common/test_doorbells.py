"""Doorbells over a broker that only takes notes: what is acked, what is handed back, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from nats.errors import ConnectionClosedError

from parley_common import doorbells
from parley_common.doorbells import Bell, Busy, Doorbells, Drain, Highest, Later

pytestmark = pytest.mark.anyio

ACK, NAK, WORKING = "+ACK", "-NAK", "+WPI"


@dataclass
class Notes:
    """Answers given, in order, as (bell, word)."""

    given: list[tuple[str, str]] = field(default_factory=list)
    fails: bool = False

    async def publish(self, reply: str, word: bytes) -> None:
        if self.fails:
            raise ConnectionClosedError
        self.given.append((reply, word.decode()))

    def words(self, reply: str) -> list[str]:
        return [word for bell, word in self.given if bell == reply]


@pytest.fixture
def notes() -> Notes:
    return Notes()


def make(notes: Notes, drain: Drain, **options: int) -> Doorbells:
    bus: Any = SimpleNamespace(nc=notes)
    return Doorbells(bus, drain, **options)


def bell(seq: int) -> Bell:
    return Bell(seq=seq, reply=f"bell-{seq}")


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not met():
            await asyncio.sleep(0)


async def idle(bells: Doorbells) -> None:
    await until(lambda: bells.conversations == 0)


async def test_a_bell_is_acked_once_its_work_is_seen_done(notes: Notes) -> None:
    async def drain(_conversation: str, highest: Highest) -> int:
        return highest()

    bells = make(notes, drain)
    await bells.ring("c", bell(5))
    await idle(bells)
    assert notes.given == [("bell-5", ACK)]


async def test_a_bell_beyond_what_was_seen_done_is_not_acked_but_rings_later(notes: Notes) -> None:
    async def drain(_conversation: str, _highest: Highest) -> int:
        return 4

    bells = make(notes, drain)
    await bells.ring("c", bell(4))
    await bells.ring("c", bell(5))
    await idle(bells)
    assert notes.words("bell-4") == [ACK]
    assert notes.words("bell-5") == ['-NAK {"delay": 1000000000}']


async def test_a_bell_that_rings_during_the_work_is_worked_on_before_it_is_acked(notes: Notes) -> None:
    gate, drained = asyncio.Event(), []

    async def drain(_conversation: str, highest: Highest) -> int:
        done = highest()
        await gate.wait()
        drained.append(done)
        return done

    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await asyncio.sleep(0)
    await bells.ring("c", bell(2))
    gate.set()
    await idle(bells)
    assert drained == [1, 2]
    assert notes.given == [("bell-1", ACK), ("bell-2", ACK)]


async def test_the_work_sees_the_highest_bell_rung_so_far(notes: Notes) -> None:
    seen: list[int] = []
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        seen.append(highest())
        await gate.wait()
        seen.append(highest())
        return highest()

    bells = make(notes, drain)
    await bells.ring("c", bell(3))
    await asyncio.sleep(0)
    await bells.ring("c", bell(9))
    await bells.ring("c", bell(6))
    gate.set()
    await idle(bells)
    assert seen == [3, 9]
    assert {word for _, word in notes.given} == {ACK}


async def test_one_conversation_is_worked_on_once_at_a_time_and_others_beside_it(notes: Notes) -> None:
    gate, working = asyncio.Event(), []

    async def drain(conversation: str, highest: Highest) -> int:
        working.append(conversation)
        await gate.wait()
        return highest()

    bells = make(notes, drain)
    for seq, conversation in enumerate(("a", "a", "b")):
        await bells.ring(conversation, bell(seq))
    await until(lambda: len(working) == 2)
    assert (sorted(working), bells.conversations) == (["a", "b"], 2)
    gate.set()
    await idle(bells)


async def test_a_busy_conversation_is_left_for_two_to_five_seconds(notes: Notes) -> None:
    async def drain(_conversation: str, _highest: Highest) -> int:
        raise Busy

    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await idle(bells)
    ((_, word),) = notes.given
    delay_s = int(word.removeprefix('-NAK {"delay": ').removesuffix("}")) / 1e9
    assert 2.0 <= delay_s <= 5.0


async def test_what_is_not_due_rings_when_it_is(notes: Notes) -> None:
    async def drain(_conversation: str, _highest: Highest) -> int:
        raise Later(42.0)

    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await idle(bells)
    assert notes.given == [("bell-1", '-NAK {"delay": 42000000000}')]


async def test_work_that_fails_again_and_again_is_left_longer_each_time_until_it_succeeds(notes: Notes) -> None:
    outcomes: list[int | None] = [None, None, None, None, 5, None]

    async def drain(_conversation: str, _highest: Highest) -> int:
        done = outcomes.pop(0)
        if done is None:
            raise ZeroDivisionError
        return done

    bells = make(notes, drain)
    for seq in range(1, 7):
        await bells.ring("c", bell(seq))
        await idle(bells)
    words = [notes.words(f"bell-{seq}")[0] for seq in range(1, 7)]
    assert words == [*(f'-NAK {{"delay": {2**n}000000000}}' for n in range(4)), ACK, '-NAK {"delay": 1000000000}']


async def test_a_bell_of_the_sweep_needs_no_answer_and_displaces_none(notes: Notes) -> None:
    gate = asyncio.Event()

    async def drain(_conversation: str, _highest: Highest) -> int:
        await gate.wait()
        return 3

    bells = make(notes, drain)
    await bells.ring("c", bell(3))
    await bells.ring("c", Bell(seq=3, reply=""))
    await bells.ring("c", Bell(seq=2, reply=""))
    gate.set()
    await idle(bells)
    assert notes.given == [("bell-3", ACK)]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TimeoutError(), id="broker slow"),
        pytest.param(ConnectionClosedError(), id="broker gone"),
        pytest.param(ZeroDivisionError(), id="a fault of ours"),
    ],
)
async def test_work_that_fails_is_tried_again_later_and_acks_nothing(notes: Notes, error: Exception) -> None:
    async def drain(_conversation: str, _highest: Highest) -> int:
        raise error

    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await idle(bells)
    assert notes.given == [("bell-1", '-NAK {"delay": 1000000000}')]


async def test_after_a_failure_the_next_bell_is_worked_on(notes: Notes) -> None:
    answers: list[Exception | int] = [ZeroDivisionError(), 2]

    async def drain(_conversation: str, _highest: Highest) -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await idle(bells)
    await bells.ring("c", bell(2))
    await idle(bells)
    assert notes.words("bell-2") == [ACK]


async def test_a_bell_delivered_again_while_it_is_held_is_answered_where_it_rang_last(notes: Notes) -> None:
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        await gate.wait()
        return highest()

    bells = make(notes, drain)
    await bells.ring("c", Bell(seq=1, reply="first delivery"))
    await bells.ring("c", Bell(seq=1, reply="second delivery"))
    gate.set()
    await idle(bells)
    assert notes.given == [("second delivery", ACK)]


async def test_a_broker_that_takes_no_answer_ends_nothing(notes: Notes) -> None:
    async def drain(_conversation: str, highest: Highest) -> int:
        return highest()

    notes.fails = True
    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await idle(bells)
    notes.fails = False
    await bells.ring("c", bell(2))
    await idle(bells)
    assert notes.given == [("bell-2", ACK)]


async def test_held_bells_are_kept_alive(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbells, "HEARTBEAT_S", 0.001)
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        await gate.wait()
        return highest()

    bells = make(notes, drain)
    beating = asyncio.create_task(bells.keep_alive())
    await bells.ring("c", bell(1))
    await bells.ring("c", bell(2))
    await until(lambda: notes.words("bell-1").count(WORKING) > 1 and notes.words("bell-2").count(WORKING) > 1)
    gate.set()
    await idle(bells)
    answered = len(notes.given)
    await asyncio.sleep(0.01)
    assert len(notes.given) == answered
    beating.cancel()


async def test_when_there_is_no_room_the_next_conversation_rings_later_and_blocks_nobody(notes: Notes) -> None:
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        await gate.wait()
        return highest()

    bells = make(notes, drain, most_conversations=1)
    await bells.ring("a", bell(1))
    await bells.ring("b", bell(2))
    await bells.ring("a", bell(3))
    ((name, word),) = notes.given
    delay_s = int(word.removeprefix('-NAK {"delay": ').removesuffix("}")) / 1e9
    assert name == "bell-2"
    assert 5.0 <= delay_s <= 15.0
    gate.set()
    await idle(bells)
    assert notes.given[1:] == [("bell-1", ACK), ("bell-3", ACK)]


async def test_stopping_waits_for_work_that_ends_in_time(notes: Notes) -> None:
    async def drain(_conversation: str, highest: Highest) -> int:
        await asyncio.sleep(0.01)
        return highest()

    bells = make(notes, drain)
    await bells.ring("c", bell(1))
    await bells.stop(grace_s=5.0)
    assert notes.given == [("bell-1", ACK)]


async def test_stopping_hands_back_what_does_not_end_in_time(notes: Notes) -> None:
    async def drain(_conversation: str, _highest: Highest) -> int:
        await asyncio.Event().wait()
        raise AssertionError

    bells = make(notes, drain)
    await bells.ring("a", bell(1))
    await bells.ring("b", bell(2))
    await asyncio.sleep(0)
    await bells.stop(grace_s=0.01)
    assert sorted(notes.given) == [("bell-1", NAK), ("bell-2", NAK)]
    assert bells.conversations == 0


async def test_a_bell_that_rings_after_the_stop_is_for_another_in_a_moment(notes: Notes) -> None:
    async def drain(_conversation: str, highest: Highest) -> int:
        return highest()

    bells = make(notes, drain)
    await bells.stop(grace_s=1.0)
    await bells.ring("c", bell(1))
    assert notes.given == [("bell-1", NAK + ' {"delay": 1000000000}')]
