"""The queue of each sender: how long a text waits because of the sender's rate in segments.

Plain arithmetic on a clock that is passed in.
"""


class SenderQueues:
    """When each sender is free again."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

    def wait_s(self, sender: str, now_s: float) -> float:
        """Return how long a text handed in now would wait."""
        return max(self._free_at.get(sender, 0.0) - now_s, 0.0)

    def take(self, sender: str, segments: int, *, rate: float | None, now_s: float) -> float:
        """Put a text into the queue and return its wait."""
        if rate is None:
            return 0.0
        wait_s = self.wait_s(sender, now_s)
        self._free_at[sender] = now_s + wait_s + segments / rate
        return wait_s

    def clear(self) -> None:
        """Forget all queues."""
        self._free_at.clear()
