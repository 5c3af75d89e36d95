"""How turns end without a brain, and which rule counts before which (P8, P13, P14)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from parley_agent.allowance import LOOP_CAPACITY, after_apology, after_notice, after_offline, after_words
from parley_agent.lateness import Moment, Standing
from parley_agent.rulings import Answer, Case, Draft, handed_over, joins, kind, ruling, settled
from parley_brains.agent_file import AgentFile, Handoff
from parley_common.events import InboundMessage, Keyword, Taken, Tally, TurnOutcome
from unit.agent.builders import AT, NUMBER, PERSON, a_channel, a_text

NOW = AT + timedelta(seconds=10)
HOUR = timedelta(hours=1)
ON_TIME = Moment(now=NOW, max_age=timedelta(minutes=30))
TOO_LATE = Moment(now=NOW, max_age=timedelta(seconds=1))
AFTER_A_RESTORE = Moment(now=NOW, max_age=timedelta(seconds=1), restored_at=NOW)
FILE = AgentFile(
    failure="Sorry.",
    apology="Too late.",
    capped="Enough.",
    refused="Never again.",
    daily_tokens=100,
    handoff=Handoff(words=("AGENT",), reply="A person comes.", back_reply="I am back.", back_after_h=2.0),
)
SILENT = AgentFile(
    apology=" \n", capped="", refused="", handoff=Handoff(words=("AGENT",), reply="", back_reply="")
)
TODAY = NOW.date().isoformat()
HAD_IT = Tally(day=TODAY, answers=5)
LOOPING = Tally(level=LOOP_CAPACITY, level_at=NOW)
WAITING = Tally(taken=Taken(at=AT, until=NOW + HOUR))
WITH_STAFF = Tally(taken=Taken(at=AT, until=NOW + HOUR, by="alice"))

CASE = Case(
    channel=a_channel(offline_text="Closed.", help_text="Call us.", countries=frozenset({"US"})),
    tally=HAD_IT,
    moment=ON_TIME,
    file=FILE,
)
HELLO, REFUSAL, AGENT, BOT = (a_text(body) for body in ("hello", "please stop texting me", "agent", "Bot!"))
HELP = a_text("HELP", keyword=Keyword.HELP)
OUTCOME = TurnOutcome
OF_CASE = ("tally", "moment", "file", "known", "opted_out")


def case(**changes: Any) -> Case:
    """The case with other parts; those of the channel by their own names."""
    of_case = {name: changes.pop(name) for name in OF_CASE if name in changes}
    return replace(CASE, channel=replace(CASE.channel, **changes), **of_case)


def outcome(text: InboundMessage, around: Case) -> TurnOutcome | None:
    answer = ruling([text], around)
    return None if answer is None else answer.outcome


def words(texts: list[InboundMessage], around: Case) -> list[str]:
    answer = ruling(texts, around)
    assert answer is not None
    return [draft.text for draft in answer.messages]


def test_a_text_in_time_is_for_the_brain() -> None:
    assert ruling([HELLO], CASE) is None


CROWDED = msgspec.structs.replace(
    WAITING, level=LOOP_CAPACITY, level_at=NOW, day=TODAY, answers=5, tokens=100, memory={"a": "b"}
)
ALL_AT_ONCE: dict[str, Any] = {
    "tally": msgspec.structs.replace(CROWDED, taken=WITH_STAFF.taken),
    "opted_out": True,
    "moment": TOO_LATE,
    "known": False,
    "people_may_start": False,
    "offline": True,
    "allow_all": False,
    "daily_answers": 5,
}
"""Everything that speaks against an answer. Each step below takes away what the step before it met."""

ORDER: list[tuple[InboundMessage, dict[str, Any], TurnOutcome | None]] = [
    (a_text("agent", contact=NUMBER), {}, OUTCOME.ECHO),
    (a_text("stop", keyword=Keyword.STOP), {}, OUTCOME.KEYWORD),
    (REFUSAL, {}, OUTCOME.REFUSED),
    (BOT, {}, OUTCOME.TAKEN),
    (BOT, {"tally": CROWDED}, OUTCOME.NOT_ALLOWED),
    (BOT, {"allow_all": True}, OUTCOME.HANDED_BACK),
    (AGENT, {}, OUTCOME.TAKEN),
    (AGENT, {"tally": msgspec.structs.replace(CROWDED, taken=None)}, OUTCOME.NOT_STARTED),
    (AGENT, {"known": True, "moment": AFTER_A_RESTORE}, OUTCOME.LATE),
    (AGENT, {"moment": TOO_LATE}, OUTCOME.OFFLINE),
    (AGENT, {"offline": False}, OUTCOME.LATE),
    (AGENT, {"moment": ON_TIME}, OUTCOME.LOOP),
    (AGENT, {"tally": HAD_IT}, OUTCOME.HANDED_OVER),
    (BOT, {}, OUTCOME.HANDED_BACK),
    (HELLO, {}, OUTCOME.CAPPED),
    (HELLO, {"daily_answers": 0, "tally": Tally(day=TODAY, tokens=100)}, OUTCOME.CAPPED),
    (HELLO, {"tally": Tally()}, OUTCOME.OPTED_OUT),
    (HELLO, {"opted_out": False}, None),
]


def test_the_rules_count_in_their_order() -> None:
    around = case(**ALL_AT_ONCE)
    found = []
    for text, less, _ in ORDER:
        of_case = {name: value for name, value in less.items() if name in OF_CASE}
        of_channel = {name: value for name, value in less.items() if name not in of_case}
        around = replace(around, channel=replace(around.channel, **of_channel), **of_case)
        found.append(outcome(text, around))
    assert found == [expected for _, _, expected in ORDER]


@pytest.mark.parametrize("tally", [HAD_IT, WAITING, WITH_STAFF], ids=["nobody else", "waiting", "with staff"])
@pytest.mark.parametrize("moment", [ON_TIME, TOO_LATE, AFTER_A_RESTORE], ids=["on time", "late", "restored"])
@pytest.mark.parametrize("offline", [False, True])
def test_a_refusal_counts_whatever_else_is_so(tally: Tally, moment: Moment, *, offline: bool) -> None:
    for less in (
        {},
        {"allow_all": False},
        {"people_may_start": False, "known": False},
        {"countries": frozenset({"GB"})},
    ):
        answer = ruling([REFUSAL], case(tally=tally, moment=moment, offline=offline, **less))
        assert answer is not None
        assert (answer.outcome, answer.refusal) == (OUTCOME.REFUSED, REFUSAL)


def test_a_refusal_is_confirmed_in_one_message() -> None:
    answer = ruling([REFUSAL], CASE)
    tally = after_words(HAD_IT, NOW)
    assert answer == Answer(
        outcome=OUTCOME.REFUSED, tally=tally, messages=(Draft("Never again."),), refusal=REFUSAL
    )


@pytest.mark.parametrize(
    "around",
    [
        pytest.param({"moment": TOO_LATE}, id="it is old"),
        pytest.param({"moment": AFTER_A_RESTORE}, id="it was perhaps confirmed"),
        pytest.param({"allow_all": False}, id="they are not allowed"),
        pytest.param({"countries": frozenset({"GB"})}, id="their country is not served"),
        pytest.param({"tally": LOOPING}, id="it is a loop"),
        pytest.param({"file": SILENT}, id="there are no words for it"),
    ],
)
def test_a_refusal_is_met_with_silence_where_nothing_is_to_be_said(around: dict[str, Any]) -> None:
    answer = ruling([REFUSAL], case(**around))
    assert answer is not None
    assert (answer.outcome, answer.messages, answer.refusal) == (OUTCOME.REFUSED, (), REFUSAL)


@pytest.mark.parametrize("texts", [[HELLO, REFUSAL], [REFUSAL, HELLO], [AGENT, REFUSAL, HELLO]])
def test_a_refusal_amid_a_burst_is_all_that_is_heard(texts: list[InboundMessage]) -> None:
    assert words(texts, CASE) == ["Never again."]


def test_help_is_answered_and_weighs_as_a_message() -> None:
    answer = ruling([HELP], CASE)
    assert answer == Answer(outcome=OUTCOME.KEYWORD, tally=after_words(HAD_IT, NOW), messages=(Draft("Call us."),))


@pytest.mark.parametrize(
    ("text", "around"),
    [
        pytest.param(HELP, {"help_text": " "}, id="there is no text for it"),
        pytest.param(HELP, {"allow_all": False}, id="they are not allowed"),
        pytest.param(HELP, {"moment": TOO_LATE}, id="it is old"),
        pytest.param(HELP, {"tally": LOOPING}, id="it is a loop"),
        pytest.param(msgspec.structs.replace(HELP, answered_by_twilio=True), {}, id="Twilio has answered"),
        pytest.param(a_text("STOP", keyword=Keyword.STOP), {}, id="it is a stop"),
        pytest.param(a_text("START", keyword=Keyword.START), {}, id="it is a start"),
    ],
)
def test_other_keywords_are_met_with_silence(text: InboundMessage, around: dict[str, Any]) -> None:
    looked_at = case(**around)
    assert ruling([text], looked_at) == Answer(outcome=OUTCOME.KEYWORD, tally=looked_at.tally)


def test_who_asks_for_a_person_is_handed_over_until_so_many_hours_have_passed() -> None:
    answer = ruling([HELLO, AGENT], CASE)
    tally = after_words(handed_over(HAD_IT, FILE.handoff, NOW), NOW)
    assert answer == Answer(outcome=OUTCOME.HANDED_OVER, tally=tally, messages=(Draft("A person comes."),))
    assert tally.taken == Taken(at=NOW, until=NOW + 2 * HOUR, by="")


def test_who_wants_the_brain_back_is_handed_back() -> None:
    answer = ruling([BOT], case(tally=WAITING))
    tally = after_words(msgspec.structs.replace(WAITING, taken=None), NOW)
    assert answer == Answer(outcome=OUTCOME.HANDED_BACK, tally=tally, messages=(Draft("I am back."),))


@pytest.mark.parametrize("around", [{"moment": TOO_LATE}, {"offline": True}, {"file": SILENT}])
def test_the_brain_comes_back_in_silence_where_nothing_is_to_be_said(around: dict[str, Any]) -> None:
    answer = ruling([BOT], case(tally=WAITING, **around))
    assert answer is not None
    assert (answer.outcome, answer.messages, answer.tally.taken) == (OUTCOME.HANDED_BACK, (), None)


def test_while_staff_answers_a_text_waits_for_them_even_where_it_asks_for_the_brain() -> None:
    for text in (HELLO, AGENT, BOT):
        assert ruling([text], case(tally=WITH_STAFF)) == Answer(outcome=OUTCOME.TAKEN, tally=WITH_STAFF)


def test_while_staff_answers_a_text_waits_for_them_whoever_it_is_from() -> None:
    answer = ruling([HELLO], case(tally=WITH_STAFF, allow_all=False))
    assert answer == Answer(outcome=OUTCOME.TAKEN, tally=WITH_STAFF)


def test_who_asks_for_the_brain_they_have_is_told_that_it_is_here() -> None:
    assert ruling([BOT], CASE) == Answer(
        outcome=OUTCOME.HANDED_BACK, tally=after_words(HAD_IT, NOW), messages=(Draft("I am back."),)
    )
    assert ruling([BOT, HELLO], CASE) is None
    assert ruling([BOT], case(file=SILENT)) is None
    assert ruling([BOT], case(file=AgentFile())) is None


def test_who_wants_no_more_texts_is_met_with_silence() -> None:
    assert ruling([HELLO], case(opted_out=True)) == Answer(outcome=OUTCOME.OPTED_OUT, tally=HAD_IT)


def test_a_takeover_ends_by_itself() -> None:
    taken = Taken(at=AT, until=NOW, by="alice")
    assert settled(Tally(taken=taken, answers=3), NOW) == Tally(answers=3)
    assert settled(Tally(taken=taken), NOW - timedelta(seconds=1)).taken is taken
    assert settled(Tally(), NOW) == Tally()


def test_whom_we_texted_may_answer_where_people_may_not_start() -> None:
    assert outcome(HELLO, case(people_may_start=False, known=True)) is None
    assert outcome(HELLO, case(people_may_start=False, known=False)) is OUTCOME.NOT_STARTED
    assert outcome(HELLO, case(people_may_start=True, known=False)) is None


def test_that_nobody_answers_now_is_told_once_a_day() -> None:
    told = after_offline(HAD_IT, NOW)
    assert ruling([HELLO], case(offline=True)) == Answer(
        outcome=OUTCOME.OFFLINE, tally=told, messages=(Draft("Closed."),)
    )
    assert ruling([HELLO], case(offline=True, tally=told)) == Answer(outcome=OUTCOME.OFFLINE, tally=told)
    tomorrow = Moment(now=NOW + timedelta(hours=24))
    assert words([HELLO], case(offline=True, tally=told, moment=tomorrow)) == ["Closed."]


def test_late_texts_are_excused_once() -> None:
    excused = after_apology(HAD_IT, NOW)
    assert ruling([HELLO], case(moment=TOO_LATE)) == Answer(
        outcome=OUTCOME.LATE, tally=excused, messages=(Draft("Too late."),)
    )
    assert ruling([HELLO], case(moment=TOO_LATE, tally=excused)) == Answer(outcome=OUTCOME.LATE, tally=excused)


def test_the_cap_is_told_once() -> None:
    told = after_notice(HAD_IT, NOW)
    assert ruling([HELLO], case(daily_answers=5)) == Answer(
        outcome=OUTCOME.CAPPED, tally=told, messages=(Draft("Enough."),)
    )
    assert ruling([HELLO], case(tally=told, daily_answers=5)) == Answer(outcome=OUTCOME.CAPPED, tally=told)


@pytest.mark.parametrize(("tokens", "capped"), [(99, None), (100, OUTCOME.CAPPED), (500, OUTCOME.CAPPED)])
def test_the_days_tokens_are_capped(tokens: int, capped: TurnOutcome | None) -> None:
    assert outcome(HELLO, case(tally=Tally(day=TODAY, tokens=tokens))) is capped
    assert outcome(HELLO, case(tally=Tally(day="2026-01-01", tokens=tokens))) is None


def test_a_loop_is_met_with_silence() -> None:
    assert ruling([HELLO], case(tally=LOOPING)) == Answer(outcome=OUTCOME.LOOP, tally=LOOPING)


def test_what_was_perhaps_answered_is_met_with_silence() -> None:
    assert ruling([HELLO], case(moment=AFTER_A_RESTORE)) == Answer(outcome=OUTCOME.LATE, tally=HAD_IT)


@pytest.mark.parametrize(
    "around", [{"moment": TOO_LATE}, {"daily_answers": 5}, {"offline": True, "offline_text": ""}]
)
def test_words_that_are_empty_are_not_said_and_not_noted(around: dict[str, Any]) -> None:
    answer = ruling([HELLO], case(file=SILENT, **around))
    assert answer is not None
    assert (answer.messages, answer.tally) == ((), HAD_IT)


def test_texts_are_alike_by_why_they_are_not_answered() -> None:
    moment = Moment(now=NOW, max_age=timedelta(minutes=30), restored_at=AT - HOUR)
    around = case(moment=moment, allow_all=False, allowed=frozenset({PERSON}))
    texts: list[InboundMessage] = [
        HELLO,
        a_text(at=AT - timedelta(minutes=40)),
        a_text(at=AT - timedelta(hours=2)),
        HELP,
        REFUSAL,
        a_text(contact="+15550100201"),
        a_text(contact=NUMBER),
    ]
    assert len({kind(text, around) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("first", "text", "around", "joined"),
    [
        pytest.param(HELLO, HELLO, {}, True, id="like joins like"),
        pytest.param(HELLO, AGENT, {}, True, id="asking for a person is for the same turn"),
        pytest.param(HELLO, REFUSAL, {}, True, id="a refusal joins what would have been answered"),
        pytest.param(REFUSAL, HELLO, {}, False, id="what follows a refusal is looked at by itself"),
        pytest.param(HELLO, HELP, {}, False, id="a keyword is a turn of its own"),
        pytest.param(HELLO, BOT, {"tally": WAITING}, False, id="the brain is wanted back"),
        pytest.param(BOT, HELLO, {"tally": WAITING}, False, id="and answers what follows"),
        pytest.param(HELLO, REFUSAL, {"tally": WAITING}, False, id="a refusal is not lost among what waits"),
        pytest.param(HELLO, REFUSAL, {"moment": TOO_LATE}, False, id="nor among what is late"),
    ],
)
def test_which_texts_are_one_turn(
    first: InboundMessage, text: InboundMessage, around: dict[str, Any], *, joined: bool
) -> None:
    looked_at = case(**around)
    alike: TurnOutcome | Standing = kind(first, looked_at)
    assert joins(text, alike, looked_at) is joined
