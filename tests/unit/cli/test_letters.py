"""Dead letters folded from their events, found by name, and shown without what they must not tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley_cli.letter_words import about, listed, shown
from parley_cli.letters import Letter, chosen, fold, named
from parley_cli.words import Refused
from parley_common.bus import Stored
from parley_common.events import (
    DeadLetter,
    InboundMessage,
    LetterReplayed,
    Media,
    PartAttempted,
    Reply,
    Slot,
    TurnDone,
    TurnOutcome,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
PERSON, NUMBER, WORDS = "+15550100200", "+15550100100", "my darkest secret"
_COMMON: dict[str, Any] = {"id": "event", "at": AT, "channel": "default", "conversation": "c"}
INBOUND = InboundMessage(
    **_COMMON,
    account_sid="AC" + "0" * 32,
    contact=PERSON,
    recipient=NUMBER,
    body=WORDS,
    profile_name="Ada",
    media=(Media(url="https://example.com/secret.jpg", content_type="image/jpeg"),),
)
TURN = TurnDone(
    **_COMMON,
    upto=1,
    first=1,
    outcome=TurnOutcome.ANSWERED,
    sender=NUMBER,
    contact=PERSON,
    expires_at=LATER,
    messages=(Reply(id="r", text=WORDS),),
)
ATTEMPT = PartAttempted(
    **_COMMON,
    part_id="p",
    message_id="m",
    slot=Slot(turn=1, message=0, part=0),
    of=2,
    sender=NUMBER,
    contact="whatsapp:" + PERSON,
    body=WORDS,
    attempt=1,
    worker="w",
    rest=(WORDS,),
)


def a_letter(name: str = "a" * 32, at: datetime = AT, **fields: Any) -> DeadLetter:
    usual: dict[str, Any] = {
        "stream": "CONVERSATIONS",
        "sequence": 1,
        "subject": "conv.c.in",
        "reason": "the brain failed",
        "service": "agent",
    }
    return DeadLetter(id=name, at=at, channel="", conversation="c", **usual | fields)


def a_replay(letter: str, at: datetime) -> LetterReplayed:
    return LetterReplayed(id="r", at=at, channel="", conversation="c", letter=letter)


def test_a_letter_is_open_until_it_was_replayed() -> None:
    first, second = fold([a_letter("a"), a_letter("b"), a_replay("a", LATER)])
    assert (first.is_open, second.is_open) == (False, True)
    assert first.replayed_at == LATER


def test_a_letter_that_is_written_twice_is_one() -> None:
    (one,) = fold([a_letter("a"), a_letter("a", LATER, reason="again")])
    assert one.letter.reason == "again"


def test_a_letter_that_is_written_after_its_replay_is_open_again() -> None:
    (one,) = fold([a_letter("a"), a_replay("a", AT), a_letter("a", LATER)])
    assert one.is_open


def test_a_replay_of_an_unknown_letter_makes_none() -> None:
    assert fold([a_replay("a", AT)]) == []


def test_the_open_letters_of_one_service_can_be_chosen() -> None:
    found = fold([a_letter("a"), a_letter("b", service="status"), a_letter("c"), a_replay("c", LATER)])
    assert [one.id for one in chosen(found, service=None)] == ["a", "b"]
    assert [one.id for one in chosen(found, service="agent")] == ["a"]
    assert [one.id for one in chosen(found, service="agent", replayed_too=True)] == ["a", "c"]


def test_a_name_that_is_the_beginning_of_another_is_found() -> None:
    found = fold([a_letter("abc"), a_letter("abcdef")])
    assert named(found, "abc").id == "abc"
    assert named(found, "abcd").id == "abcdef"
    with pytest.raises(Refused, match="2 dead letters begin with 'ab'"):
        named(found, "ab")
    with pytest.raises(Refused, match="there is no dead letter 'x'"):
        named(found, "x")


@pytest.mark.parametrize("event", [INBOUND, TURN, ATTEMPT], ids=lambda event: type(event).__name__)
def test_no_event_tells_its_words_or_a_whole_number(event: InboundMessage | TurnDone | PartAttempted) -> None:
    stored = Stored(seq=1, subject="conv.c.in", headers={}, data=b"{}", time=AT)
    said = shown(Letter(letter=a_letter(reason=f"cannot reach {PERSON}")), stored, event)
    for secret in (WORDS, PERSON, NUMBER, "Ada", "secret.jpg"):
        assert secret not in said
    assert type(event).__name__ in said
    assert "+1555•••0200" in said


def test_what_a_message_says_of_itself_is_its_size_and_its_state() -> None:
    fields = dict(about(TURN))
    assert fields["outcome"] == "answered"
    assert fields["messages"] == f"1 reply ({len(WORDS)} characters)"
    assert fields["expires_at"] == "2026-11-21T11:00:00Z"


def test_a_list_says_what_is_open_and_when_the_others_were_replayed() -> None:
    lines = listed(fold([a_letter("a" * 32), a_letter("b" * 32), a_replay("b" * 32, LATER)])).splitlines()
    assert lines[1].split()[:6] == ["a" * 12, "2026-11-21T10:00:00Z", "agent", "CONVERSATIONS", "1", "open"]
    assert "2026-11-21T11:00:00Z" in lines[2]
