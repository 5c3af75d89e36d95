"""``parley backfill``: asks ingress to bring in texts that never arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from parley_cli import words
from parley_cli.broker import ask
from parley_common.bus import Bus
from parley_common.requests import BACKFILL, BACKFILL_PATIENCE_S, BackfillAnswer, BackfillRequest


async def backfill(bus: Bus, *, since: datetime, until: datetime, channel: str, say: Callable[[str], None]) -> int:
    """Has Twilio's log read for this time; returns 0 where all of it is in, else 1."""
    request = BackfillRequest(since=since, until=until, channel=channel)
    answer = await ask(bus, BACKFILL, request, BackfillAnswer, service="ingress", within_s=BACKFILL_PATIENCE_S)
    say(told(request, answer))
    return 1 if answer.problems else 0


def told(request: BackfillRequest, answer: BackfillAnswer) -> str:
    """What came of it, with a line for each problem."""
    found = words.counted(answer.found, "text")
    head = (
        f"From {words.at(request.since)} to {words.at(request.until)} Twilio has {found}: "
        f"{answer.brought_in} brought in, {answer.known} known."
    )
    return words.printable("\n".join((head, *(f"problem: {problem}" for problem in answer.problems))))
