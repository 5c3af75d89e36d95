"""All messages in memory, bounded: the newest stay.

Finds by SID, by place in the order of acceptance and by either number; knows nothing of HTTP.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter

from parley_simulator.messages import Message

DEFAULT_LIMIT = 200_000


class MessageStore:
    """Messages in the order of acceptance; the oldest leave when there are more than `limit`."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._slack = max(limit // 10, 1)
        self._by_sid: dict[str, Message] = {}
        self._order: list[Message | None] = []
        self._first_sequence = 1
        self._by_to: defaultdict[str, deque[Message]] = defaultdict(deque)
        self._by_sender: defaultdict[str, deque[Message]] = defaultdict(deque)

    def __len__(self) -> int:
        return len(self._by_sid)

    @property
    def last_sequence(self) -> int:
        """The newest place given out."""
        return self._first_sequence + len(self._order) - 1

    def add(self, message: Message) -> Message:
        """Give the message its sequence and keep it."""
        message.sequence = self.last_sequence + 1
        self._order.append(message)
        self._by_sid[message.sid] = message
        self._by_to[message.to].append(message)
        if message.sender:
            self._by_sender[message.sender].append(message)
        if len(self._order) >= self._limit + self._slack:
            self._evict()
        return message

    def assign_sender(self, message: Message, sender: str) -> None:
        """Set the number a Messaging Service picked."""
        message.sender = sender
        self._by_sender[sender].append(message)

    def get(self, sid: str) -> Message | None:
        """Return the message with this SID."""
        return self._by_sid.get(sid)

    def remove(self, message: Message) -> None:
        """Delete one message; its place in the order stays empty."""
        if self._by_sid.pop(message.sid, None) is None:
            return
        self._order[message.sequence - self._first_sequence] = None
        self._drop_from(self._by_to, message.to, message)
        self._drop_from(self._by_sender, message.sender or "", message)

    def newest_first(self, *, to: str = "", sender: str = "", below: int | None = None) -> Iterator[Message]:
        """Walk from the newest, optionally only what has this To, this From, a lower sequence."""
        candidates = self._candidates(to, sender)
        for message in reversed(candidates):
            if message is None or (below is not None and message.sequence >= below):
                continue
            if (to and message.to != to) or (sender and message.sender != sender):
                continue
            yield message

    def thread(self, person: str, most: int) -> list[Message]:
        """Return the newest texts to and from one person, oldest first."""
        both = (self.newest_first(to=person), self.newest_first(sender=person))
        newest = heapq.merge(*both, key=attrgetter("sequence"), reverse=True)
        return list(islice(newest, most))[::-1]

    def since(self, sequence: int) -> Iterator[Message]:
        """Walk in the order of acceptance what came after this sequence."""
        start = max(sequence + 1 - self._first_sequence, 0)
        return (message for message in islice(self._order, start, None) if message is not None)

    def clear(self) -> None:
        """Forget everything; sequences keep growing."""
        self._first_sequence = self.last_sequence + 1
        self._order.clear()
        self._by_sid.clear()
        self._by_to.clear()
        self._by_sender.clear()

    def _candidates(self, to: str, sender: str) -> Sequence[Message | None]:
        pools: list[Sequence[Message | None]] = [self._order]
        if to:
            pools.append(self._by_to.get(to, deque()))
        if sender:
            pools.append(self._by_sender.get(sender, deque()))
        return min(pools, key=len)

    def _evict(self) -> None:
        for message in self._order[: self._slack]:
            if message is not None:
                self.remove(message)
        del self._order[: self._slack]
        self._first_sequence += self._slack

    def _drop_from(self, index: defaultdict[str, deque[Message]], key: str, message: Message) -> None:
        kept = index.get(key)
        if not kept:
            return
        if kept[0] is message:
            kept.popleft()
        else:
            index[key] = deque(other for other in kept if other is not message)
        if not index[key]:
            del index[key]
