"""The self-test's rules: what it signs, what it takes for an answer, and what it says where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from parley_common.channels import Channel
from parley_common.events import TurnOutcome
from parley_common.settings import SettingsError
from parley_common.webhook_urls import INBOUND_PATH
from parley_ingress.self_test.asking import Answer, Failed
from parley_ingress.self_test.settings import DEFAULT_TEXT, read_settings
from parley_ingress.self_test.texting import new_sid, our_address, signature, text_form
from parley_ingress.self_test.verdicts import (
    ANSWERS,
    Failure,
    Message,
    Part,
    further_turns,
    has_arrived,
    is_accepted,
    replies_to,
    why_broken,
    why_no_answer,
)
from parley_ingress.signature import SIGNATURE_HEADER, Secrets, SignedRequest, Verdict, verify

TOKEN = "t" * 32
NUMBER, WHATSAPP, SERVICE = "+15550001111", "whatsapp:+15550001111", "MG" + "b" * 32
CONTACT = "+15557772222"
PUBLIC = "https://sms.example.com"
ENVIRONMENT = {
    **{
        f"PARLEY_SELF_TEST_{name}_URL": f"http://{name.lower()}/"
        for name in ("INGRESS", "AGENT", "EGRESS", "STATUS")
    },
    "PARLEY_PUBLIC_URL": PUBLIC,
    "TWILIO_ACCOUNT_SID": "AC" + "a" * 32,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_PHONE_NUMBER": NUMBER,
    "PARLEY_API_KEY": "key",
}


def channel(
    numbers: tuple[str, ...] = (NUMBER,),
    service: str | None = None,
    shared_keys: tuple[tuple[str, str], ...] = (),
) -> Channel:
    return Channel(
        name="default",
        account_sid="AC" + "a" * 32,
        auth_tokens=(TOKEN,),
        shared_keys=shared_keys,
        numbers=numbers,
        messaging_service_sid=service,
        allowed=frozenset(),
        allow_all=True,
    )


def message(
    name: str,
    direction: str = "outbound",
    *,
    turn: int | None = 7,
    outcome: str | None = "answered",
    state: str = "sent",
    parts: Sequence[Part] = (),
) -> Message:
    return Message(
        id=name,
        conversation="c",
        direction=direction,
        state=state,
        turn=turn,
        outcome=outcome,
        parts=tuple(parts),
    )


TEXT = message("SMours", "inbound", state="handled")


def test_without_a_contact_nobody_texts() -> None:
    settings = read_settings(ENVIRONMENT)
    assert settings.contact is None
    assert settings.text == DEFAULT_TEXT
    assert settings.urls["agent"] == "http://agent"


def test_a_contact_is_read_however_it_is_written() -> None:
    settings = read_settings({**ENVIRONMENT, "PARLEY_SELF_TEST_CONTACT": "+1 (555) 777-2222"})
    assert settings.contact == CONTACT


@pytest.mark.parametrize("contact", ["5557772222x", "ACME"], ids=["no number", "a name"])
def test_a_contact_that_nobody_can_text_is_refused_unquoted(contact: str) -> None:
    with pytest.raises(SettingsError, match="PARLEY_SELF_TEST_CONTACT is no phone number") as refused:
        read_settings({**ENVIRONMENT, "PARLEY_SELF_TEST_CONTACT": contact})
    assert contact not in str(refused.value)


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_each_setting_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({key: value for key, value in ENVIRONMENT.items() if key != name})


def test_an_address_of_a_service_must_be_one() -> None:
    with pytest.raises(SettingsError, match="PARLEY_SELF_TEST_AGENT_URL is 'agent:8083': write the address"):
        read_settings({**ENVIRONMENT, "PARLEY_SELF_TEST_AGENT_URL": "agent:8083"})


def test_settings_show_no_number_and_no_secret() -> None:
    shown = repr(read_settings({**ENVIRONMENT, "PARLEY_SELF_TEST_CONTACT": CONTACT}))
    assert not any(secret in shown for secret in (TOKEN, CONTACT, NUMBER, "'key'"))


@pytest.mark.parametrize("keys", [(), (("WK1", "s" * 32),)], ids=["auth token", "shared key"])
def test_what_it_signs_is_genuine_to_ingress(keys: tuple[tuple[str, str], ...]) -> None:
    ours = channel(shared_keys=keys)
    form = text_form(ours, CONTACT, "héllo & more", new_sid())
    url = PUBLIC + INBOUND_PATH
    headers = signature(ours, url, form)
    request = SignedRequest(
        url=url,
        signature=headers[SIGNATURE_HEADER],
        settings=headers.get("X-Twilio-Webhooks-Signature-Settings"),
        fields=list(form.items()),
    )
    assert verify(request, Secrets(auth_tokens=ours.auth_tokens, shared_keys=keys)) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("numbers", "service", "contact", "expected"),
    [
        ((WHATSAPP, NUMBER), None, CONTACT, NUMBER),
        ((NUMBER, WHATSAPP), None, f"whatsapp:{CONTACT}", WHATSAPP),
        ((NUMBER,), SERVICE, CONTACT, NUMBER),
        ((), SERVICE, CONTACT, SERVICE),
    ],
    ids=["a phone", "WhatsApp", "a listed number of the service", "the service alone"],
)
def test_a_person_texts_a_number_of_their_kind(
    numbers: tuple[str, ...], service: str | None, contact: str, expected: str
) -> None:
    assert our_address(channel(numbers, service), contact) == expected


def test_a_contact_of_a_kind_that_the_channel_has_not_is_told_so() -> None:
    with pytest.raises(Failed, match="no number of the kind"):
        our_address(channel((WHATSAPP,)), CONTACT)


def test_the_text_names_the_messaging_service_where_there_is_one() -> None:
    assert text_form(channel((), SERVICE), CONTACT, "hi", "SM1")["MessagingServiceSid"] == SERVICE
    assert "MessagingServiceSid" not in text_form(channel(), CONTACT, "hi", "SM1")


def test_replies_are_those_of_the_texts_own_turn() -> None:
    messages = [message("before", turn=3), TEXT, message("a"), message("b"), message("after", turn=9)]
    assert [reply.id for reply in replies_to(TEXT, messages)] == ["a", "b"]


@pytest.mark.parametrize("outcome", list(TurnOutcome))
def test_every_other_end_of_a_turn_has_its_sentence(outcome: TurnOutcome) -> None:
    text = message("SMours", "inbound", outcome=outcome.value)
    if outcome in ANSWERS:
        assert why_no_answer(text, [message("a")]) is None
    told = why_no_answer(text, [] if outcome in ANSWERS else [message("a")])
    assert told is not None
    assert told.startswith(f"the agent ended the turn as {outcome.value}: ")
    assert "see the agent's log" not in told or outcome is TurnOutcome.FAILED


def test_an_end_that_is_not_known_yet_sends_to_the_log() -> None:
    assert why_no_answer(message("SMours", "inbound", outcome="novel"), [message("a")]) == (
        "the agent ended the turn as novel: see the agent's log"
    )


@pytest.mark.parametrize(
    ("parts", "accepted"),
    [
        ([], False),
        ([Part(of=1, sid="SM1")], True),
        ([Part(of=1)], False),
        ([Part(of=2, sid="SM1")], False),
        ([Part(of=2, sid="SM1"), Part(of=2)], False),
        ([Part(of=2, sid="SM1"), Part(of=2, sid="SM2")], True),
    ],
)
def test_an_answer_is_accepted_once_each_part_has_a_sid(parts: Sequence[Part], accepted: bool) -> None:
    assert is_accepted(message("a", parts=parts)) is accepted


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "delivered", "read"])
def test_what_is_on_its_way_is_not_broken(state: str) -> None:
    assert why_broken(message("a", state=state)) is None
    assert has_arrived(message("a", state=state)) is (state in ("delivered", "read"))


@pytest.mark.parametrize("state", ["failed", "undelivered", "canceled"])
def test_what_broke_is_told_with_its_code_and_without_numbers(state: str) -> None:
    broken = Message(
        id="a",
        conversation="c",
        direction="outbound",
        state=state,
        failure=Failure(reason=f"no such person as {CONTACT}", code=30003),
    )
    told = why_broken(broken)
    assert told is not None
    assert told.startswith(f"the answer is {state}: ")
    assert told.endswith("(30003)")
    assert CONTACT not in told


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], 0),
        ([message("again", turn=9)], 1),
        ([message("again", turn=9), message("more", turn=9)], 1),
        ([message("SMother", "inbound", turn=9), message("to it", turn=9)], 0),
        ([message("notice", turn=None)], 0),
    ],
    ids=["none", "one", "one of two messages", "another text's", "what no turn wrote"],
)
def test_a_further_turn_that_no_other_text_explains_is_found(later: Sequence[Message], expected: int) -> None:
    assert further_turns(TEXT, [message("before", turn=3), TEXT, message("a"), *later]) == expected


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "signature is mismatch"}', "signature is mismatch"),
        (b'{"error": {"code": "x", "message": "try again"}}', "try again"),
        (b"<html>", "no reason given"),
        (b"[1]", "no reason given"),
        (b"{}", "no reason given"),
    ],
)
def test_the_reason_of_an_answer_is_read_whatever_came(body: bytes, said: str) -> None:
    assert Answer(500, body).said == said
