"""A sender's desk: parts queue here for a slot of the sender's rate, replies before what can wait.

One process owns a sender, so the rate is exact without asking anybody. Slots are handed out at the rate, and paid
for at the very moment of the POST: parts held up in between, by the broker or by Twilio, do not all go at once.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from enum import IntEnum

from parley_common.doorbells import Busy
from parley_egress.rate import Bucket

_MOST_UNPAID_S = 0.25
"""As much of the rate may be in preparation; what is granted beyond would only wait with its attempt written."""


class Priority(IntEnum):
    """Who goes first when several wait."""

    REPLY = 0


class Grant:
    """One part's slot: pays at its POST, or is given back."""

    def __init__(self, desk: Desk, segments: int) -> None:
        self._desk = desk
        self._segments = segments
        self._open = True

    async def pay(self) -> None:
        """Returns when the POST may start; call it right before."""
        await self._desk.pay(self._segments)
        self.give_back()

    def give_back(self) -> None:
        """Lets others have what was not used; does nothing after ``pay``."""
        if self._open:
            self._open = False
            self._desk.forget(self._segments)


class Desk:
    """Hands out slots of one sender's rate."""

    def __init__(self, bucket: Bucket) -> None:
        self._slots = bucket
        self._posts = bucket
        self._unpaid = 0
        self._waiting: list[tuple[int, int, int, asyncio.Future[Grant]]] = []
        self._order = itertools.count()
        self._serving: asyncio.Task[None] | None = None
        self._paid = asyncio.Event()
        self._till = asyncio.Lock()
        self._open = True

    async def slot(self, priority: Priority, segments: int) -> Grant:
        """Returns when it is this part's turn to prepare. Raises ``Busy`` once the desk is closed."""
        if not self._open:
            raise Busy
        granted: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), segments, granted))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await granted

    async def pay(self, segments: int) -> None:
        """Waits until the rate allows a POST, and takes its segments from the rate."""
        async with self._till:
            while wait_s := self._posts.wait_s(time.monotonic()):
                await asyncio.sleep(wait_s)
            self._posts = self._posts.take(segments, time.monotonic())

    def forget(self, segments: int) -> None:
        """A grant is over, paid or not."""
        self._unpaid -= segments
        self._paid.set()

    def close(self) -> None:
        """Grants nothing more: whoever waits is told ``Busy``."""
        self._open = False
        if self._serving is not None:
            self._serving.cancel()
        for *_, granted in self._waiting:
            if not granted.done():
                granted.set_exception(Busy())

    @property
    def owes_s(self) -> float:
        """How long until all that was sent is within the rate."""
        return self._posts.wait_s(time.monotonic())

    async def _serve(self) -> None:
        while self._waiting:
            wait_s = self._slots.wait_s(time.monotonic())
            if wait_s:
                await asyncio.sleep(wait_s)
            elif self._unpaid / self._slots.segments_per_s > _MOST_UNPAID_S:
                self._paid.clear()
                await self._paid.wait()
            else:
                self._grant()
        self._serving = None

    def _grant(self) -> None:
        _, _, segments, granted = heapq.heappop(self._waiting)
        if not granted.done():
            self._slots = self._slots.take(segments, time.monotonic())
            self._unpaid += segments
            granted.set_result(Grant(self, segments))
