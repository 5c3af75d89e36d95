"""A row of Twilio's log is translated as its webhook would have been, and trouble with the log has words."""

from __future__ import annotations

import msgspec
import pytest

from parley_common.events import Keyword, Media
from parley_ingress.logged import LoggedText, as_form, log_trouble
from parley_ingress.translation import consent_change, inbound_message
from unit.ingress.webhook_forms import ACCOUNT, AT, NUMBER, PERSON, SERVICE, SID, TEXT, form, receipt

LOGGED = LoggedText(
    sid=SID,
    account_sid=ACCOUNT,
    sender=PERSON,
    recipient=NUMBER,
    service_sid="",
    body="Hello there",
    segments="1",
    media=0,
    created_at=AT,
)


def logged(**changes: object) -> LoggedText:
    return LoggedText(**{name: getattr(LOGGED, name) for name in LoggedText.__slots__} | changes)


def test_a_text_of_the_log_is_the_same_event_as_that_of_its_webhook() -> None:
    from_log = inbound_message(as_form(LOGGED, ()), receipt())
    assert msgspec.json.encode(from_log) == msgspec.json.encode(inbound_message(form(TEXT), receipt()))


def test_attachments_and_the_service_are_those_of_the_webhook() -> None:
    media = tuple(Media(url=f"https://example.com/{n}", content_type="image/png") for n in range(3))
    message = inbound_message(as_form(logged(service_sid=SERVICE), media), receipt(service=SERVICE))
    assert (message.media, message.messaging_service_sid) == (media, SERVICE)


@pytest.mark.parametrize(
    ("body", "keyword"), [("stop", Keyword.STOP), ("START", Keyword.START), ("stop it", None)]
)
def test_a_keyword_of_the_log_changes_consent_as_its_webhook_would(body: str, keyword: Keyword | None) -> None:
    told = as_form(logged(body=body), ())
    message = inbound_message(told, receipt())
    change = consent_change(told, message, receipt())
    assert message.keyword is keyword
    assert change == consent_change(
        form(TEXT, Body=body), inbound_message(form(TEXT, Body=body), receipt()), receipt()
    )


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, 20003, "Twilio refused our credentials (HTTP 401, error 20003): check TWILIO_AUTH_TOKEN"),
        (429, None, "Twilio asks for patience (HTTP 429)"),
        (500, None, "Twilio could not answer (HTTP 500)"),
        (400, 21212, "Twilio refused the question (HTTP 400, error 21212)"),
    ],
)
def test_trouble_has_words_for_the_operator(status: int, code: int | None, words: str) -> None:
    assert log_trouble(status, code) == words
