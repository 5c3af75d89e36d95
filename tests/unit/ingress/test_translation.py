"""Form fields become events: each field in its place, and nothing assumed that the form does not say."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.events import ConsentCause, InboundMessage, Keyword, Media
from parley_ingress.forms import Refused
from parley_ingress.translation import (
    consent_change,
    delivery_report,
    inbound_message,
    reported_opt_out,
)
from unit.ingress.webhook_forms import (
    ACCOUNT,
    AT,
    IDENTITY,
    NUMBER,
    PERSON,
    REPORT,
    SERVICE,
    SID,
    TEXT,
    TOLL_FREE,
    form,
    receipt,
)

PART = "f" * 32


def media_fields(count: int) -> dict[str, str | None]:
    urls = {f"MediaUrl{n}": f"https://m.example/{n}" for n in range(count)}
    types = {f"MediaContentType{n}": "image/png" for n in range(count)}
    return {**urls, **types}


def read(**changes: str | None) -> InboundMessage:
    return inbound_message(form(TEXT, **changes), receipt())


def test_a_text_becomes_one_event() -> None:
    assert read() == InboundMessage(
        id=SID,
        at=AT,
        channel="default",
        conversation=IDENTITY.conversation("default", PERSON),
        account_sid=ACCOUNT,
        contact=PERSON,
        recipient=NUMBER,
        body="Hello there",
    )


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        pytest.param("MessagingServiceSid", SERVICE, "messaging_service_sid", SERVICE, id="service"),
        pytest.param("MessagingServiceSid", "", "messaging_service_sid", None, id="blank service"),
        pytest.param("NumSegments", "3", "segments", 3, id="segments"),
        pytest.param("NumSegments", "", "segments", 1, id="blank segments"),
        pytest.param("NumSegments", "many", "segments", 1, id="segments that are no number"),
        pytest.param("NumSegments", "³", "segments", 1, id="segments that are no ASCII digit"),
        pytest.param("NumSegments", "9" * 5_000, "segments", 1, id="segments without end"),
        pytest.param("ProfileName", "Ann", "profile_name", "Ann", id="profile name"),
        pytest.param("Body", "  as sent \n", "body", "  as sent \n", id="a body is not stripped"),
        pytest.param("Body", "", "body", "", id="no body"),
        pytest.param("Body", None, "body", "", id="missing body"),
        pytest.param("Body", "a\0b", "body", "a\0b", id="a NUL"),
        pytest.param("From", "384387", "contact", "384387", id="a short code"),
        pytest.param("From", "whatsapp:+15557772222", "contact", "whatsapp:+15557772222", id="WhatsApp"),
        pytest.param("From", " 00 49 (30) 1", "contact", " 00 49 (30) 1", id="a number Twilio left raw"),
    ],
)
def test_each_field_lands_where_it_belongs(field: str, value: str, attribute: str, expected: object) -> None:
    assert getattr(read(**{field: value}), attribute) == expected


@pytest.mark.parametrize("field", ["MessageSid", "From", "To", "AccountSid"])
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "blank"])
def test_a_text_without_a_field_that_every_text_has_is_refused_by_name(field: str, value: str | None) -> None:
    with pytest.raises(Refused, match=f"field {field} is missing") as caught:
        read(**{field: value})
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "sid",
    ["SM123", "sm" + "c" * 32, "SM" + "C" * 32, SID + "\n", f"{SID}\r\nNats-Msg-Id: x", "*", "SM" + "c" * 33],
)
def test_a_sid_that_is_none_is_refused(sid: str) -> None:
    """It becomes a header and part of a subject at the broker."""
    with pytest.raises(Refused, match="field MessageSid is not a SID"):
        read(MessageSid=sid)
    with pytest.raises(Refused, match="field MessageSid is not a SID"):
        delivery_report(form(REPORT, MessageSid=sid), None, receipt())


def test_a_conversation_is_one_persons_with_one_channel() -> None:
    assert read().conversation == read(Body="more", MessageSid="SM" + "d" * 32, To=TOLL_FREE).conversation
    assert read().conversation != read(From="+15557772223").conversation
    assert PERSON.strip("+") not in read().conversation


def test_the_same_text_delivered_again_is_the_same_event() -> None:
    assert read(SmsStatus="receiving", ErrorUrl="https://x").id == read().id


@pytest.mark.parametrize(
    ("count", "said", "kept"),
    [
        pytest.param(1, "1", 1, id="one"),
        pytest.param(10, "10", 10, id="ten"),
        pytest.param(12, "12", 10, id="more than Twilio sends"),
        pytest.param(1, "3", 1, id="more said than there are"),
        pytest.param(0, "999999999", 0, id="a very large lie"),
        pytest.param(0, "-1", 0, id="a negative number"),
        pytest.param(0, "x", 0, id="no number"),
    ],
)
def test_media_are_as_many_as_there_are_urls(count: int, said: str, kept: int) -> None:
    message = read(NumMedia=said, **media_fields(count))
    expected = [Media(url=f"https://m.example/{n}", content_type="image/png") for n in range(kept)]
    assert list(message.media) == expected


@pytest.mark.parametrize("said", ["0", "", None, "1"], ids=["none", "blank", "missing", "one of two"])
def test_media_that_num_media_denies_are_kept(said: str | None) -> None:
    assert len(read(NumMedia=said, **media_fields(2)).media) == 2


def test_a_picture_may_come_without_words() -> None:
    message = read(Body="", NumMedia="1", **media_fields(1))
    assert (message.body, len(message.media), message.keyword) == ("", 1, None)


def test_a_medium_without_a_type_is_kept() -> None:
    message = read(NumMedia="1", MediaUrl0="https://m.example/0")
    assert message.media == (Media(url="https://m.example/0", content_type=""),)


@pytest.mark.parametrize(
    ("body", "opt_out_type", "to", "keyword"),
    [
        pytest.param("STOP", None, NUMBER, Keyword.STOP, id="stop"),
        pytest.param(" stop\n", None, NUMBER, Keyword.STOP, id="stop with white space"),
        pytest.param("stop please", None, NUMBER, None, id="a sentence is for the agent"),
        pytest.param("yes", None, NUMBER, Keyword.START, id="yes"),
        pytest.param("yes", None, TOLL_FREE, None, id="yes to a toll-free number says nothing"),
        pytest.param("unstop", None, TOLL_FREE, Keyword.START, id="unstop to a toll-free number"),
        pytest.param("Help", None, NUMBER, Keyword.HELP, id="help"),
        pytest.param("basta", "STOP", NUMBER, Keyword.STOP, id="the operator's own word"),
        pytest.param("stop", "START", NUMBER, Keyword.START, id="Twilio's verdict counts"),
        pytest.param("info", "HELP", NUMBER, Keyword.HELP, id="Twilio's verdict on help"),
        pytest.param("stop", "", NUMBER, Keyword.STOP, id="a blank verdict"),
        pytest.param("hello", "OTHER", NUMBER, None, id="a verdict nobody knows"),
        pytest.param("stop", "OTHER", NUMBER, Keyword.STOP, id="stop under a verdict nobody knows"),
    ],
)
def test_keywords_are_told_or_recognised(
    body: str, opt_out_type: str | None, to: str, keyword: Keyword | None
) -> None:
    assert read(Body=body, OptOutType=opt_out_type, To=to).keyword is keyword


@pytest.mark.parametrize(
    ("body", "opt_out_type", "granted", "cause"),
    [
        pytest.param("STOP", None, False, ConsentCause.KEYWORD, id="stop"),
        pytest.param("start", None, True, ConsentCause.KEYWORD, id="start"),
        pytest.param("basta", "STOP", False, ConsentCause.OPT_OUT_TYPE, id="told stop"),
        pytest.param("ja", "START", True, ConsentCause.OPT_OUT_TYPE, id="told start"),
    ],
)
@pytest.mark.parametrize(
    ("service", "scope"), [(None, NUMBER), (SERVICE, SERVICE)], ids=["of a number", "of a service"]
)
def test_stop_and_start_change_consent_towards_the_sender_that_answers(
    body: str, opt_out_type: str | None, granted: bool, cause: ConsentCause, service: str | None, scope: str
) -> None:
    text = form(TEXT, Body=body, OptOutType=opt_out_type)
    received = receipt(service=service)
    change = consent_change(text, inbound_message(text, received), received)
    assert change is not None
    assert (change.granted, change.cause, change.scope, change.contact) == (granted, cause, scope, PERSON)
    assert (change.id, change.at) == (f"consent-{SID}", AT)


@pytest.mark.parametrize(("body", "opt_out_type"), [("help", None), ("hi", None), ("hi", "HELP")])
def test_other_texts_change_no_consent(body: str, opt_out_type: str | None) -> None:
    text = form(TEXT, Body=body, OptOutType=opt_out_type)
    assert consent_change(text, inbound_message(text, receipt()), receipt()) is None


def test_a_status_callback_becomes_one_report() -> None:
    report = delivery_report(form(REPORT, RawDlrDoneDate="2611211200"), PART, receipt())
    assert (report.sid, report.status, report.part_id) == (SID, "delivered", PART)
    assert (report.error_code, report.carrier_done_at) == (None, "2611211200")
    assert (report.channel, report.conversation) == ("default", IDENTITY.conversation("default", PERSON))
    assert (report.account_sid, report.at) == (ACCOUNT, AT)


def test_a_report_stands_in_the_conversation_of_the_text_it_is_about() -> None:
    assert delivery_report(form(REPORT), PART, receipt()).conversation == read().conversation


def test_the_same_report_has_the_same_id_whenever_it_comes() -> None:
    later = msgspec.structs.replace(delivery_report(form(REPORT), PART, receipt()), at=AT + timedelta(hours=1))
    assert later.id == delivery_report(form(REPORT, RawDlrDoneDate="2611211200"), None, receipt()).id


def test_reports_that_say_different_things_have_different_ids() -> None:
    variants = [
        {"MessageStatus": "sent"},
        {"MessageStatus": "delivered"},
        {"MessageStatus": "undelivered", "ErrorCode": "30003"},
        {"MessageStatus": "undelivered", "ErrorCode": "30005"},
        {"MessageSid": "MM" + "c" * 32},
    ]
    ids = [delivery_report(form(REPORT, **changes), PART, receipt()).id for changes in variants]
    assert len(set(ids)) == len(variants)


@pytest.mark.parametrize("field", ["MessageSid", "MessageStatus", "AccountSid"])
def test_a_report_without_a_field_that_every_report_has_is_refused_by_name(field: str) -> None:
    with pytest.raises(Refused, match=f"field {field} is missing"):
        delivery_report(form(REPORT, **{field: None}), PART, receipt())


def test_a_report_that_does_not_say_about_whom_it_is_is_kept_and_proves_nothing() -> None:
    report = delivery_report(form(REPORT, To=None), PART, receipt())
    assert (report.sid, report.status, report.part_id) == (SID, "delivered", PART)
    assert report.conversation != delivery_report(form(REPORT), PART, receipt()).conversation
    assert report.conversation == IDENTITY.conversation("default", "")


def test_an_opt_out_of_nobody_is_recorded_for_nobody() -> None:
    callback = form(REPORT, MessageStatus="failed", ErrorCode="21610", To="")
    assert reported_opt_out(callback, delivery_report(callback, PART, receipt()), receipt()) is None


@pytest.mark.parametrize("status", ["Delivered", "a b", "sent\n", "x" * 33, "sent.>", "é"])
def test_a_status_that_is_no_word_is_refused(status: str) -> None:
    with pytest.raises(Refused, match="field MessageStatus is not a word"):
        delivery_report(form(REPORT, MessageStatus=status), PART, receipt())


@pytest.mark.parametrize(("code", "expected"), [("30003", 30003), ("", None), ("0", None), ("x", None)])
def test_an_error_code_is_a_number_or_none(code: str, expected: int | None) -> None:
    assert delivery_report(form(REPORT, ErrorCode=code), PART, receipt()).error_code == expected


@pytest.mark.parametrize(
    ("service", "scope"), [(None, NUMBER), (SERVICE, SERVICE)], ids=["of a number", "of a service"]
)
def test_a_failed_delivery_tells_of_an_opt_out(service: str | None, scope: str) -> None:
    callback = form(REPORT, MessageStatus="failed", ErrorCode="21610")
    received = receipt(service=service)
    change = reported_opt_out(callback, delivery_report(callback, PART, received), received)
    assert change is not None
    assert (change.granted, change.cause, change.scope) == (False, ConsentCause.TWILIO_21610, scope)
    assert (change.contact, change.id) == (PERSON, f"consent-{SID}")


@pytest.mark.parametrize("code", ["", "30003", "21611"])
def test_other_failures_tell_of_none(code: str) -> None:
    callback = form(REPORT, MessageStatus="failed", ErrorCode=code)
    assert reported_opt_out(callback, delivery_report(callback, PART, receipt()), receipt()) is None


VALUES = st.dictionaries(st.sampled_from([*TEXT, *REPORT, "OptOutType", "MediaUrl0", "ErrorCode"]), st.text())


@given(VALUES)
def test_whatever_a_form_says_is_an_event_or_refused(changes: dict[str, str]) -> None:
    status = 200
    try:
        message = read(**changes)
        consent_change(form(TEXT, **changes), message, receipt())
    except Refused as refused:
        status = refused.status
    assert status in (200, 400)


@given(VALUES)
def test_whatever_a_callback_says_is_a_report_or_refused(changes: dict[str, str]) -> None:
    callback, status = form(REPORT, **changes), 200
    try:
        reported_opt_out(callback, delivery_report(callback, PART, receipt()), receipt())
    except Refused as refused:
        status = refused.status
    assert status in (200, 400)


def test_a_reported_opt_out_counts_as_of_its_post() -> None:
    posted_at = AT - timedelta(hours=1)
    callback = form(REPORT, MessageStatus="failed", ErrorCode="21610")
    report = delivery_report(callback, PART, receipt())
    change = reported_opt_out(callback, report, receipt(), posted_at)
    assert change is not None
    assert change.at == posted_at
