"""Numbers, queues, redaction, forms: the small pure parts."""

import pytest

from parley_common.domain.segments import count_segments
from parley_simulator.inbound_form import inbound_form
from parley_simulator.messages import Direction, Media, Message
from parley_simulator.phone_numbers import is_toll_free, normalize
from parley_simulator.queues import SenderQueues
from parley_simulator.request_log import without_secrets
from parley_simulator.statuses import Status


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("+12025550111", "+12025550111", id="E.164"),
        pytest.param("+1 (202) 555-0111", "+12025550111", id="with punctuation"),
        pytest.param("2025550111", "+12025550111", id="national"),
        pytest.param("12345", "12345", id="short code"),
        pytest.param("whatsapp:+12025550111", "whatsapp:+12025550111", id="a channel"),
        pytest.param("whatsapp:", None, id="a channel without number"),
        pytest.param("+0123456789", None, id="no such country"),
        pytest.param("hello", None, id="words"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_number_is_read_in_its_usual_writings(written: str, expected: str | None) -> None:
    assert normalize(written) == expected


def test_toll_free_numbers_are_known_by_their_prefix() -> None:
    assert is_toll_free("+18885550100")
    assert not is_toll_free("+12025550111")


def test_a_sender_is_free_again_after_its_segments() -> None:
    queues = SenderQueues()
    assert queues.take("a", 2, rate=4.0, now_s=10.0) == 0.0
    assert queues.take("a", 1, rate=4.0, now_s=10.0) == 0.5
    assert queues.take("b", 1, rate=4.0, now_s=10.0) == 0.0
    assert queues.take("a", 1, rate=4.0, now_s=20.0) == 0.0
    assert queues.take("a", 9, rate=None, now_s=20.0) == 0.0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://h/p", "http://h/p", id="nothing to hide"),
        pytest.param("http://h/p#rc=5", "http://h/p", id="fragment"),
        pytest.param("http://user:pass@h:8/p", "http://h:8/p", id="user"),
        pytest.param("http://h/p?part=1&token=abc", "http://h/p?part=1&token=%2A%2A%2A", id="token"),
    ],
)
def test_the_log_shows_no_secrets(url: str, expected: str) -> None:
    assert without_secrets(url) == expected


def inbound(sender: str, to: str, media: tuple[Media, ...] = ()) -> Message:
    return Message(
        sid="SM1",
        direction=Direction.INBOUND,
        sender=sender,
        to=to,
        body="hi",
        segments=count_segments("hi"),
        status=Status.RECEIVED,
        created_at=0.0,
        updated_at=0.0,
        media=media,
    )


def test_blank_places_stay_in_the_form() -> None:
    form = inbound_form(inbound("+12025550111", "+15550100100"), "AC1", origin="http://here")
    assert (form["ToCity"], form["FromZip"], form["FromCountry"]) == ("", "", "US")
    assert (form["NumMedia"], form["SmsMessageSid"]) == ("0", "SM1")


def test_whatsapp_has_a_profile_and_no_places() -> None:
    message = inbound("whatsapp:+12025550111", "whatsapp:+15550100100")
    form = inbound_form(message, "AC1", origin="http://here", opt_out_type="STOP")
    assert "ToCity" not in form
    assert (form["WaId"], form["OptOutType"]) == ("12025550111", "STOP")


def test_each_medium_has_an_address_and_a_type() -> None:
    media = (Media("ME1", "image/png", 0.0), Media("ME2", "text/vcard", 0.0))
    form = inbound_form(inbound("+12025550111", "+15550100100", media), "AC1", origin="http://here")
    assert form["NumMedia"] == "2"
    assert form["MediaUrl1"] == "http://here/2010-04-01/Accounts/AC1/Messages/SM1/Media/ME2"
    assert form["MediaContentType1"] == "text/vcard"
