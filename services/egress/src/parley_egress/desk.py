"""A sender's desk: parts queue here for the sender's rate, replies before what can wait, the oldest first.

One process owns a sender, so the rate is exact without asking anybody. A slot lets a part prepare; it pays at the
very moment of the POST, so that parts held up in between, by the broker or by Twilio, do not all go at once. At
both places the order is the same: a reply waits for one text of lower priority at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from parley_common.doorbells import Busy, Later
from parley_common.events import Priority
from parley_egress.rate import Bucket

T = TypeVar("T")

_PREPARES_S = 0.25
"""How long before it can pay a part may prepare; earlier it would only wait with its attempt written."""

MOST_WAITING = 1_000
"""Who is behind so many comes again later: it must not take the room of conversations of other senders."""

_LEAST_LATER_S = 5.0
_MOST_LATER_S = 300.0
_LOOK_AGAIN_S = 0.25
_RANKS = {Priority.REPLY: 0, Priority.OPERATOR: 1, Priority.NOTIFICATION: 2}


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a part asks the desk for.

    ``at``: when what it belongs to was written. ``expires_at``: until when the wait makes sense. ``pays_by_s``:
    the monotonic time after which its POST would come too late.
    """

    priority: Priority
    at: datetime
    expires_at: datetime
    segments: int
    pays_by_s: float = math.inf

    @property
    def rank(self) -> tuple[int, datetime]:
        """Who goes first."""
        return (_RANKS[self.priority], self.at)


class Door(Protocol):
    """Whether anything may go at all."""

    def wait_s(self) -> float:
        """0.0 where it may, else when to look again, in seconds."""

    def let_through(self) -> bool:
        """Notes that one goes; says whether it is a probe."""


class Grant:
    """One part's slot: pays at its POST, or is given back."""

    def __init__(self, desk: Desk, claim: Claim, *, is_probe: bool) -> None:
        self.is_probe = is_probe
        self._desk = desk
        self._claim = claim
        self._open = True

    async def pay(self, within_s: float) -> bool:
        """Returns when the POST may start; False, and nothing is paid, where that is not ``within_s``."""
        paid = await self._desk.pay(self._claim, within_s)
        self.give_back()
        return paid

    def give_back(self) -> None:
        """Lets others have what was not used; does nothing after ``pay``."""
        if self._open:
            self._open = False
            self._desk.forget(self._claim)


class Desk:
    """Hands out slots of one sender's rate, as long as its door is open."""

    def __init__(self, bucket: Bucket, door: Door) -> None:
        self.bucket = bucket
        self._door = door
        self._slots: Queue[Grant] = Queue()
        self._till: Queue[bool] = Queue()
        self._unpaid: Counter[Priority] = Counter()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._open = True

    async def slot(self, claim: Claim) -> Grant:
        """Returns when it is this part's turn to prepare, or to be found expired.

        Raises ``Busy`` once closed, ``Later`` where so many wait that this one need not.
        """
        if not self._open:
            raise Busy
        granted = self._slots.join(claim)
        self._slots.keep_first(MOST_WAITING, self._later())
        self._changed.set()
        self._keep("slots", self._serve)
        return await granted

    async def pay(self, claim: Claim, within_s: float) -> bool:
        """Waits until the rate allows a POST, and takes its segments from the rate; False if not in time."""
        paid = self._till.join(msgspec.structs.replace(claim, pays_by_s=time.monotonic() + within_s))
        self._keep("till", self._collect)
        return await paid

    def forget(self, claim: Claim) -> None:
        """A grant is over, paid or not."""
        self._unpaid[claim.priority] -= claim.segments
        self._changed.set()

    def close(self) -> None:
        """Grants nothing more: whoever waits for a slot is told ``Busy``. What is granted may still pay."""
        self._open = False
        if (serving := self._tasks.pop("slots", None)) is not None:
            serving.cancel()
        self._slots.send_away(Busy())

    @property
    def owes_s(self) -> float:
        """How long until all that was sent is within the rate."""
        return self.bucket.wait_s(time.monotonic())

    def _keep(self, name: str, work: _Work) -> None:
        if name not in self._tasks or self._tasks[name].done():
            self._tasks[name] = asyncio.create_task(work())

    async def _serve(self) -> None:
        while (claim := self._slots.first) is not None:
            self._changed.clear()
            wait_s = self._door.wait_s()
            if claim.expires_at <= datetime.now(UTC):
                self._slots.serve(self._grant(claim, is_probe=False))
            elif wait_s:
                self._drop_expired()
                await asyncio.sleep(min(wait_s, _LOOK_AGAIN_S))
            elif (early_s := self._pays_in_s(claim) - _PREPARES_S) > 0.0:
                await self._change_within(early_s)
            else:
                self._slots.serve(self._grant(claim, is_probe=self._door.let_through()))

    def _drop_expired(self) -> None:
        """What has expired need not wait for the door: it goes nowhere."""
        for claim, granted in self._slots.take_expired(datetime.now(UTC)):
            granted.set_result(self._grant(claim, is_probe=False))

    async def _collect(self) -> None:
        while (claim := self._till.first) is not None:
            wait_s = self.bucket.wait_s(time.monotonic())
            if time.monotonic() + wait_s > claim.pays_by_s:
                self._till.serve(result=False)
            elif wait_s:
                await asyncio.sleep(wait_s)
            else:
                self.bucket = self.bucket.take(claim.segments, time.monotonic())
                self._till.serve(result=True)

    def _grant(self, claim: Claim, *, is_probe: bool) -> Grant:
        self._unpaid[claim.priority] += claim.segments
        return Grant(self, claim, is_probe=is_probe)

    def _pays_in_s(self, claim: Claim) -> float:
        """When this claim could pay: after the text before it, and after what is prepared and goes first."""
        ahead = sum(n for priority, n in self._unpaid.items() if _RANKS[priority] <= _RANKS[claim.priority])
        return self.bucket.wait_s(time.monotonic()) + ahead / self.bucket.segments_per_s

    def _later(self) -> Later:
        """For whom there is no place: about when half of those who wait have gone."""
        half_s = min(_MOST_LATER_S, MOST_WAITING / self.bucket.segments_per_s / 2)
        return Later(max(_LEAST_LATER_S, half_s) * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries

    async def _change_within(self, most_s: float) -> None:
        """Returns when somebody came, paid or left, or when the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._changed.wait()


class _Work(Protocol):
    async def __call__(self) -> None: ...


class Waiting(NamedTuple):
    """One who waits; compared by ``rank``, then by who came first."""

    rank: tuple[int, datetime]
    number: int
    claim: Claim
    turn: asyncio.Future[Any]


class Queue(Generic[T]):
    """Who waits for what, in the order of their claims; whoever has left is passed over."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._numbers = itertools.count()

    @property
    def first(self) -> Claim | None:
        """The claim that is next, None where nobody waits."""
        while self._waiting and self._waiting[0].turn.done():
            heapq.heappop(self._waiting)
        return self._waiting[0].claim if self._waiting else None

    def join(self, claim: Claim) -> asyncio.Future[T]:
        """Takes a place; the future is done when it is its turn."""
        turn: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, Waiting(claim.rank, next(self._numbers), claim, turn))
        return turn

    def serve(self, result: T) -> None:
        """Gives the first what it waits for."""
        heapq.heappop(self._waiting).turn.set_result(result)

    def keep_first(self, most: int, error: Exception) -> None:
        """Sends the last away where more than ``most`` wait."""
        if len(self._waiting) > most:
            last = max(self._waiting, key=lambda one: one[:2])
            self._take_out([last])
            if not last.turn.done():
                last.turn.set_exception(error)

    def take_expired(self, now: datetime) -> list[tuple[Claim, asyncio.Future[T]]]:
        """Takes out all whose wait makes no sense any more."""
        late = sorted((one for one in self._waiting if one.claim.expires_at <= now), key=lambda one: one[:2])
        self._take_out(late)
        return [(one.claim, one.turn) for one in late if not one.turn.done()]

    def send_away(self, error: Exception) -> None:
        """Tells all who wait that they wait in vain."""
        for one in self._waiting:
            if not one.turn.done():
                one.turn.set_exception(error)
        self._waiting.clear()

    def _take_out(self, some: Sequence[Waiting]) -> None:
        if some:
            gone = {one.number for one in some}
            self._waiting = [one for one in self._waiting if one.number not in gone]
            heapq.heapify(self._waiting)
