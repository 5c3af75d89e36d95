"""What each person's phone shows, in the order in which texts got there.

Holds references to messages; bounded in phones and in texts per phone.
"""

from collections import OrderedDict, deque

from parley_simulator.messages import Message, now

MOST_PHONES = 100_000
MOST_TEXTS = 2_000


class Phones:
    """The phones of all people who wrote or got a text."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, deque[Message]] = OrderedDict()

    def arrive(self, message: Message) -> None:
        """Show a text on the person's phone: one that came, or one the person just wrote."""
        message.arrived_at = now()
        texts = self._texts.get(message.person)
        if texts is None:
            texts = self._texts[message.person] = deque(maxlen=MOST_TEXTS)
            if len(self._texts) > MOST_PHONES:
                self._texts.popitem(last=False)
        texts.append(message)

    def view(self, person: str) -> list[Message]:
        """Return the phone's texts, oldest first."""
        return list(self._texts.get(person, ()))

    def numbers(self, most: int) -> list[str]:
        """Return the phones that had texts, the newest phones first."""
        return list(reversed(self._texts))[:most]

    def clear(self) -> None:
        """Wipe all phones."""
        self._texts.clear()
