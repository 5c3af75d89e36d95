"""The walk of an outbound message from its first status to its last.

Knows when each step is due and what makes it fail; `statuses` says which steps exist, `callbacks`
tells the application, `phones` shows the person what arrived.
"""

import asyncio
import random
from collections.abc import Callable

from parley_simulator.api_errors import UNDELIVERED_CODES, words_of
from parley_simulator.background import Background
from parley_simulator.callbacks import Callbacks
from parley_simulator.media import MediaError, MediaFetcher
from parley_simulator.messages import Direction, Message, now
from parley_simulator.numbers import NumberBook
from parley_simulator.optout import BlockList
from parley_simulator.phones import Phones
from parley_simulator.queues import SenderQueues
from parley_simulator.statuses import Status, next_status
from parley_simulator.store import MessageStore
from parley_simulator.tuning import Tuning


class World:
    """What the walk changes or asks beside the message itself."""

    def __init__(self, store: MessageStore, numbers: NumberBook, *, blocks: BlockList, phones: Phones) -> None:
        self.store = store
        self.numbers = numbers
        self.blocks = blocks
        self.phones = phones
        self.queues = SenderQueues()

    def sender_scope(self, number: str, service_sid: str | None = None) -> str:
        """Return what a STOP to this number blocks: its whole service, or the number alone."""
        service = self.numbers.service_of(number)
        return service_sid or (service.sid if service else number)


class Lifecycle:
    """Moves messages along; everything happens on the event loop."""

    def __init__(
        self,
        world: World,
        callbacks: Callbacks,
        *,
        fetcher: MediaFetcher,
        background: Background,
        tuning: Callable[[], Tuning],
    ) -> None:
        self._world = world
        self._callbacks = callbacks
        self._fetcher = fetcher
        self._background = background
        self._tuning = tuning
        self.on_change: Callable[[Message], None] = _nobody

    def begin(self, message: Message, *, after_s: float = 0.0) -> None:
        """Start the walk of a message that was just stored in its initial status."""
        self.on_change(message)
        if message.status is Status.QUEUED and message.direction is Direction.API:
            self._line_up(message)
        elif message.status is Status.QUEUED:
            self._background.later(after_s, self._line_up_reply, message)
        else:
            self._background.later(after_s or self._tuning().sent_after_s, self._enqueue, message)

    def queue_wait_s(self, sender: str) -> float:
        """Return how long a text handed in now would wait for its sender's rate."""
        return self._world.queues.wait_s(sender, _clock())

    def cancel(self, message: Message) -> None:
        """Take back a scheduled message; UnknownStepError when it has left already."""
        self._move(message, Status.CANCELED)

    def fail(self, message: Message, code: int) -> None:
        """End the walk with an error."""
        message.error_code = code
        message.error_message = words_of(code).replace("{}", "").strip()
        self._move(message, Status.UNDELIVERED if message.status is Status.SENT else Status.FAILED)

    def _enqueue(self, message: Message) -> None:
        if message.status not in {Status.ACCEPTED, Status.SCHEDULED}:
            return
        world = self._world
        service = world.numbers.service(message.service_sid or "")
        if message.sender is None and service is not None:
            world.store.assign_sender(message, world.numbers.pick(service, message.to))
        sender = message.sender or ""
        if self._is_blocked(message):
            self.fail(message, 21610)
        elif self.queue_wait_s(sender) > self._tuning().queue_limit_s:
            self.fail(message, 30001)
        else:
            self._move(message, Status.QUEUED)
            self._line_up(message)

    def _line_up_reply(self, message: Message) -> None:
        if self._is_blocked(message):
            self.fail(message, 21610)
        else:
            self._line_up(message)

    def _line_up(self, message: Message) -> None:
        tuning = self._tuning()
        wait_s = self._world.queues.take(
            message.sender or "", message.segments.segments, rate=tuning.segments_per_s, now_s=_clock()
        )
        if wait_s > message.validity_s:
            self._background.later(message.validity_s, self._expire, message)
        else:
            self._background.later(wait_s + tuning.sent_after_s + _jitter(tuning), self._leave, message)

    def _expire(self, message: Message) -> None:
        self.fail(message, 30036)

    def _leave(self, message: Message) -> None:
        if message.status is not Status.QUEUED:
            return
        if self._tuning().report_sending:
            self._move(message, Status.SENDING)
        code = message.plan.error_code
        if code is not None and code not in UNDELIVERED_CODES:
            self.fail(message, code)
        elif message.media_urls:
            self._background.start(self._fetch_then_send(message))
        else:
            self._send(message)

    async def _fetch_then_send(self, message: Message) -> None:
        try:
            media = [await self._fetcher.fetch(message.sid, url) for url in message.media_urls]
        except MediaError:
            self.fail(message, 11200)
            return
        message.media = tuple(media)
        self._send(message)

    def _send(self, message: Message) -> None:
        message.sent_at = now()
        self._move(message, Status.SENT)
        tuning = self._tuning()
        self._background.later(tuning.delivered_after_s + _jitter(tuning), self._arrive, message)

    def _arrive(self, message: Message) -> None:
        if message.plan.error_code is not None:
            self.fail(message, message.plan.error_code)
            return
        self._world.phones.arrive(message)
        if message.plan.never_final:
            self.on_change(message)
        else:
            self._move(message, Status.DELIVERED)

    def _move(self, message: Message, wanted: Status) -> None:
        message.status = next_status(message.status, wanted)
        message.updated_at = now()
        self._callbacks.report(message, self._tuning())
        self.on_change(message)

    def _is_blocked(self, message: Message) -> bool:
        scope = self._world.sender_scope(message.sender or "", message.service_sid)
        return not message.plan.ignores_stop and self._world.blocks.blocks(scope, message.to)


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _jitter(tuning: Tuning) -> float:
    return random.uniform(0, tuning.jitter_s) if tuning.jitter_s else 0.0  # noqa: S311 - no secret


def _nobody(_: Message) -> None:
    """The listener before anyone listens."""
