"""What policy asks of a single text."""

from typing import Any

import pytest

from parley_agent.policy import (
    asks_for_brain,
    asks_for_person,
    may_be_answered,
    may_hand_back,
    refuses,
    wants_help,
)
from parley_brains.agent_file import Handoff
from parley_common.events import Keyword, Taken, Tally
from unit.agent.builders import AT, PERSON, a_channel, a_text

LISTED = frozenset({PERSON})
WORDS = Handoff(words=("AGENT", "talk to a person", "Menschen bitte"), back_words=("BOT", "back to the bot"))
WAITING = Tally(taken=Taken(at=AT, until=AT))
WITH_STAFF = Tally(taken=Taken(at=AT, until=AT, by="alice"))


@pytest.mark.parametrize(
    ("channel", "text", "may"),
    [
        pytest.param({}, {}, True, id="all are allowed"),
        pytest.param({"allow_all": False}, {}, False, id="nobody is, by default"),
        pytest.param({"allow_all": False, "allowed": LISTED}, {}, True, id="who is listed is"),
        pytest.param(
            {"allow_all": False, "allowed": LISTED},
            {"contact": "+15550100201"},
            False,
            id="who is not listed is not",
        ),
        pytest.param({"countries": frozenset({"US"})}, {}, True, id="a country to text with"),
        pytest.param({"countries": frozenset({"GB", "CA"})}, {}, False, id="a country not to text with"),
        pytest.param(
            {"countries": frozenset({"GB"}), "allowed": LISTED}, {}, False, id="who is listed is of a country too"
        ),
        pytest.param(
            {"countries": frozenset({"US"})},
            {"contact": "messenger:1"},
            False,
            id="an address that tells no country",
        ),
    ],
)
def test_who_may_be_answered(channel: dict[str, Any], text: dict[str, Any], *, may: bool) -> None:
    assert may_be_answered(a_text(**text), a_channel(**channel)) is may


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        pytest.param({"keyword": Keyword.HELP}, True, id="help"),
        pytest.param({"keyword": Keyword.HELP, "answered_by_twilio": True}, False, id="Twilio has answered"),
        pytest.param({"keyword": Keyword.HELP, "backfilled": True}, False, id="nobody can tell whether it has"),
        pytest.param({"keyword": Keyword.STOP}, False, id="stop"),
        pytest.param({"body": "help"}, False, id="a text like others"),
    ],
)
def test_which_help_is_ours_to_answer(text: dict[str, Any], *, ours: bool) -> None:
    assert wants_help(a_text(**text)) is ours


def test_a_keyword_is_no_refusal_in_own_words() -> None:
    assert refuses(a_text("please stop texting me"))
    assert not refuses(a_text("stop", keyword=Keyword.STOP))
    assert not refuses(a_text("hello"))


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("AGENT", True),
        ("agent", True),
        ("  Agent!  ", True),
        ("Talk to a person, please", False),
        ("talk  to a PERSON?", True),
        ("MENSCHEN, bitte!", True),
        ("my travel agent", False),
        ("agents", False),
        ("", False),
        ("!!!", False),
    ],
)
def test_only_the_whole_text_asks_for_a_person(body: str, *, asks: bool) -> None:
    assert asks_for_person(a_text(body), WORDS) is asks


def test_without_words_nothing_asks_for_a_person() -> None:
    assert not asks_for_person(a_text("agent"), Handoff())
    assert not asks_for_person(a_text(""), Handoff(words=("!",)))


@pytest.mark.parametrize(
    ("tally", "body", "asks"),
    [
        pytest.param(WAITING, "bot", True, id="they asked for a person themselves"),
        pytest.param(WAITING, "Back to the bot.", True, id="in other words"),
        pytest.param(WAITING, "are you a bot?", False, id="a sentence"),
        pytest.param(WITH_STAFF, "bot", False, id="a member of staff came: it is theirs to hand back"),
        pytest.param(Tally(), "bot", False, id="nobody answers in place of the brain"),
    ],
)
def test_who_may_bring_the_brain_back(tally: Tally, body: str, *, asks: bool) -> None:
    assert may_hand_back(a_text(body), WORDS, tally) is asks


def test_the_brain_is_asked_for_by_the_whole_text_and_where_there_are_people_to_ask_for() -> None:
    assert asks_for_brain(a_text("Bot!"), WORDS)
    assert not asks_for_brain(a_text("are you a bot?"), WORDS)
    assert not asks_for_brain(a_text("bot"), Handoff(back_words=("BOT",)))
