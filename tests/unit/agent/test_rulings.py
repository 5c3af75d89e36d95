"""How turns end without a brain: who is silent, who apologises, who says that it is enough (P13, P14)."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from parley_agent.allowance import LOOP_CAPACITY, after_apology, after_notice
from parley_agent.lateness import Moment
from parley_agent.rulings import Answer, Draft, kind, ruling
from parley_brains.agent_file import AgentFile
from parley_common.events import InboundMessage, Keyword, Tally, TurnOutcome
from unit.agent.builders import AT, NUMBER, a_channel, a_text

NOW = AT + timedelta(seconds=10)
ON_TIME = Moment(now=NOW, max_age=timedelta(minutes=30))
TOO_LATE = Moment(now=NOW, max_age=timedelta(seconds=1))
AFTER_A_RESTORE = Moment(now=NOW, max_age=timedelta(seconds=1), restored_at=NOW)
WORDS = AgentFile(failure="Sorry.", apology="Too late.", capped="Enough.")
HAD_IT = Tally(day=NOW.date().isoformat(), answers=5)
LOOPING = Tally(level=LOOP_CAPACITY, level_at=NOW)
LATE, CAPPED = TurnOutcome.LATE, TurnOutcome.CAPPED


def ruled(
    moment: Moment = ON_TIME, tally: Tally = HAD_IT, words: AgentFile = WORDS, **text_and_channel: Any
) -> Answer | None:
    channel = {"daily_answers": text_and_channel.pop("daily_answers", 0)}
    if "allow_all" in text_and_channel:
        channel["allow_all"] = text_and_channel.pop("allow_all")
    return ruling([a_text(**text_and_channel)], a_channel(**channel), tally, moment, words)


def test_a_text_in_time_is_for_the_brain() -> None:
    assert ruled() is None


def test_late_texts_are_excused_once() -> None:
    excused = after_apology(HAD_IT, NOW)
    assert ruled(TOO_LATE) == Answer(outcome=LATE, tally=excused, messages=(Draft("Too late."),))
    assert ruled(TOO_LATE, excused) == Answer(outcome=LATE, tally=excused)


def test_the_cap_is_told_once() -> None:
    told = after_notice(HAD_IT, NOW)
    assert ruled(daily_answers=5) == Answer(outcome=CAPPED, tally=told, messages=(Draft("Enough."),))
    assert ruled(tally=told, daily_answers=5) == Answer(outcome=CAPPED, tally=told)


def test_a_loop_is_met_with_silence() -> None:
    assert ruled(tally=LOOPING) == Answer(outcome=TurnOutcome.LOOP, tally=LOOPING)


def test_what_was_perhaps_answered_is_met_with_silence() -> None:
    assert ruled(AFTER_A_RESTORE) == Answer(outcome=LATE, tally=HAD_IT)


@pytest.mark.parametrize("empty", ["", " \n"])
def test_words_that_are_empty_are_not_said_and_not_noted(empty: str) -> None:
    silent = msgspec.structs.replace(HAD_IT)
    words = AgentFile(failure="Sorry.", apology=empty, capped=empty)
    assert ruled(TOO_LATE, words=words) == Answer(outcome=LATE, tally=silent)
    assert ruled(words=words, daily_answers=5) == Answer(outcome=CAPPED, tally=silent)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ({"allow_all": False}, TurnOutcome.NOT_ALLOWED),
        ({"keyword": Keyword.STOP}, TurnOutcome.KEYWORD),
        ({"contact": NUMBER}, TurnOutcome.ECHO),
    ],
)
@pytest.mark.parametrize("moment", [ON_TIME, TOO_LATE, AFTER_A_RESTORE])
def test_whoever_gets_no_answer_gets_no_apology(
    text: dict[str, Any], outcome: TurnOutcome, moment: Moment
) -> None:
    assert ruled(moment, daily_answers=1, **text) == Answer(outcome=outcome, tally=HAD_IT)


def test_a_late_text_is_late_for_who_has_had_the_days_answers_too() -> None:
    answer = ruled(TOO_LATE, daily_answers=5)
    assert answer is not None
    assert (answer.outcome, answer.messages) == (LATE, (Draft("Too late."),))


def test_texts_are_alike_by_why_they_are_not_answered() -> None:
    moment = Moment(now=NOW, max_age=timedelta(minutes=30), restored_at=AT - timedelta(hours=1))
    texts: list[InboundMessage] = [
        a_text(),
        a_text(at=AT - timedelta(minutes=40)),
        a_text(at=AT - timedelta(hours=2)),
        a_text(keyword=Keyword.HELP),
        a_text(contact=NUMBER),
    ]
    assert len({kind(text, a_channel(), moment) for text in texts}) == len(texts)
