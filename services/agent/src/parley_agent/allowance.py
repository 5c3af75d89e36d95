"""What a conversation may have: so many answers a day, so many messages in a row, one apology a day. Pure.

All counts ride in the cursor as a ``Tally``. Each function takes one and says what follows, or returns the next.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from parley_common.events import Tally

LOOP_CAPACITY = 20.0
LOOP_DRAIN_S = 10.0
"""The loop guard's bucket: it takes 20 messages and loses one every 10 s.

Two bots that answer each other never stop by themselves. Twilio stops them at 30 messages in 30 s between two
numbers (error 14107); 20 in a row and 3 more in those 30 s stay below that, and no person texts so much.
"""

APOLOGY_EVERY = timedelta(hours=24)
OFFLINE_EVERY = timedelta(hours=24)


def is_used_up(tally: Tally, now: datetime, *, daily_answers: int, daily_tokens: int = 0) -> bool:
    """Whether the brain is not to be asked any more today. A cap of 0 is none."""
    answers, tokens = _answers(tally, now), _tokens(tally, now)
    return bool((daily_answers and answers >= daily_answers) or (daily_tokens and tokens >= daily_tokens))


def loops(tally: Tally, now: datetime) -> bool:
    """Whether one more message is too many: this may be two bots that answer each other."""
    return _level(tally, now) + 1.0 > LOOP_CAPACITY


def after_words(tally: Tally, now: datetime) -> Tally:
    """The tally after a message that no brain was asked for: it weighs in the loop guard and is no answer."""
    return msgspec.structs.replace(tally, level=min(LOOP_CAPACITY, _level(tally, now) + 1), level_at=now)


def after_answer(tally: Tally, now: datetime, *, messages: int, answered: bool, tokens: int = 0) -> Tally:
    """The tally after the brain was asked. A turn counts as one message at least: asking has its cost too."""
    return msgspec.structs.replace(
        tally,
        day=_day(now),
        answers=_answers(tally, now) + 1,
        tokens=_tokens(tally, now) + tokens,
        level=min(LOOP_CAPACITY, _level(tally, now) + max(1, messages)),
        level_at=now,
        greeted=tally.greeted or answered,
    )


def after_tokens(tally: Tally, now: datetime, tokens: int) -> Tally:
    """The tally after a model took so many, whether or not it answered."""
    return msgspec.structs.replace(
        tally, day=_day(now), answers=_answers(tally, now), tokens=_tokens(tally, now) + tokens
    )


def owes_apology(tally: Tally, now: datetime) -> bool:
    """Whether a late answer is to be excused: no apology was written for a day."""
    return tally.apologised_at is None or now - tally.apologised_at >= APOLOGY_EVERY


def after_apology(tally: Tally, now: datetime) -> Tally:
    """The tally after an apology."""
    return msgspec.structs.replace(tally, apologised_at=now)


def owes_offline(tally: Tally, now: datetime) -> bool:
    """Whether the person was not told for a day that nobody answers now."""
    return tally.offline_at is None or now - tally.offline_at >= OFFLINE_EVERY


def after_offline(tally: Tally, now: datetime) -> Tally:
    """The tally after that was told."""
    return msgspec.structs.replace(tally, offline_at=now)


def owes_notice(tally: Tally, now: datetime) -> bool:
    """Whether the person has not been told of today's cap yet."""
    return tally.capped_on != _day(now)


def after_notice(tally: Tally, now: datetime) -> Tally:
    """The tally after that was told."""
    return msgspec.structs.replace(tally, capped_on=_day(now))


def _answers(tally: Tally, now: datetime) -> int:
    return tally.answers if tally.day == _day(now) else 0


def _tokens(tally: Tally, now: datetime) -> int:
    return tally.tokens if tally.day == _day(now) else 0


def _level(tally: Tally, now: datetime) -> float:
    """What is left in the bucket. A clock that is behind drains nothing."""
    if tally.level_at is None:
        return 0.0
    passed_s = max(0.0, (now - tally.level_at).total_seconds())
    return max(0.0, tally.level - passed_s / LOOP_DRAIN_S)


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
