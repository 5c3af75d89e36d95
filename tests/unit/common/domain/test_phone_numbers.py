"""Addresses as Twilio writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.phone_numbers import (
    Address,
    AddressError,
    AddressForm,
    EmptyAddressError,
    InvalidE164Error,
    InvalidSenderNameError,
    Network,
    SenderType,
    is_toll_free,
    parse_address,
    parse_e164,
    sender_type,
)


@pytest.mark.parametrize(
    ("text", "network", "form", "value"),
    [
        ("+15551234567", Network.SMS, AddressForm.E164, "+15551234567"),
        (" +1 (555) 123-4567 ", Network.SMS, AddressForm.E164, "+15551234567"),
        ("+49.170/1234567", Network.SMS, AddressForm.E164, "+491701234567"),
        ("384387", Network.SMS, AddressForm.SHORT_CODE, "384387"),
        ("ACME", Network.SMS, AddressForm.NAME, "ACME"),
        ("Acme 24-7", Network.SMS, AddressForm.NAME, "Acme 24-7"),
        ("whatsapp:+15551234567", Network.WHATSAPP, AddressForm.E164, "+15551234567"),
        ("WhatsApp: +1 555 1234567", Network.WHATSAPP, AddressForm.E164, "+15551234567"),
        ("whatsapp:US.ab12", Network.WHATSAPP, AddressForm.USER_ID, "US.ab12"),
        ("messenger:1234567890", Network.MESSENGER, AddressForm.USER_ID, "1234567890"),
        ("rcs:acme_agent", Network.RCS, AddressForm.USER_ID, "acme_agent"),
    ],
)
def test_an_address_is_read_as_twilio_means_it(text: str, network: Network, form: AddressForm, value: str) -> None:
    assert parse_address(text) == Address(network=network, form=form, value=value)


@pytest.mark.parametrize("text", ["+15551234567", "384387", "whatsapp:+15551234567", "rcs:acme", "ACME"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", EmptyAddressError, "empty"),
        ("  ", EmptyAddressError, "empty"),
        ("whatsapp:", EmptyAddressError, "nothing follows whatsapp:"),
        ("15551234567", InvalidE164Error, "no \\+ before its 11 digits"),
        ("(555) 123-4567", InvalidE164Error, "no \\+ before its 10 digits"),
        ("+0170123456", InvalidE164Error, "0 where its country code"),
        ("+123", InvalidE164Error, "3 digits; numbers have 7 to 15"),
        ("+1234567890123456", InvalidE164Error, "16 digits"),
        ("whatsapp:15551234567", InvalidE164Error, "lacks its \\+"),
        ("whatsapp:+1555", InvalidE164Error, "4 digits"),
        ("telegram:+15551234567", AddressError, "unknown channel"),
        ("messenger:a b", AddressError, "no user id"),
        ("ACME Corporation", InvalidSenderNameError, "up to 11 letters"),
        ("+1555CALLNOW", InvalidE164Error, "something other than digits"),
        ("ÄCME", InvalidSenderNameError, "neither a phone number"),
        ("+١٢٣٤٥٦٧٨٩", InvalidE164Error, "something other than digits"),
    ],
)
def test_an_invalid_address_is_refused_with_what_to_change(
    text: str, error: type[AddressError], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        parse_address(text)
    assert raised.type is error
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("text", ["15551234567", "+1555x", "whatsapp:15551234567", "junk 15551234567"])
def test_an_error_does_not_repeat_the_number(text: str) -> None:
    with pytest.raises(AddressError) as raised:
        parse_address(text)
    assert "555" not in str(raised.value).replace("+15551234567", "")


def test_e164_asks_for_digits() -> None:
    with pytest.raises(InvalidE164Error, match="something other than digits"):
        parse_e164("+1555CALLNOW")


@pytest.mark.parametrize(
    ("text", "expected", "segments_per_s"),
    [
        ("384387", SenderType.SHORT_CODE, 100),
        ("+18005551234", SenderType.TOLL_FREE, 3),
        ("+18885551234", SenderType.TOLL_FREE, 3),
        ("+15551234567", SenderType.US_CA_LONG_CODE, 1),
        ("+14165551234", SenderType.US_CA_LONG_CODE, 1),
        ("+17875551234", SenderType.US_CA_LONG_CODE, 1),
        ("+18765551234", SenderType.OTHER, 10),
        ("+18095551234", SenderType.OTHER, 10),
        ("+447700900123", SenderType.OTHER, 10),
        ("+1800555123", SenderType.OTHER, 10),
        ("ACME", SenderType.OTHER, 10),
        ("whatsapp:+15551234567", SenderType.WHATSAPP, 80),
        ("messenger:123", SenderType.MESSENGER, 10),
        ("rcs:acme", SenderType.RCS, 100),
    ],
)
def test_a_sender_has_the_default_rate_of_its_type(text: str, expected: SenderType, segments_per_s: float) -> None:
    assert sender_type(parse_address(text)) is expected
    assert expected.segments_per_s == segments_per_s


def test_every_sender_type_has_a_rate() -> None:
    assert all(kind.segments_per_s > 0 for kind in SenderType)


@pytest.mark.parametrize(("text", "can"), [("ACME", False), ("384387", True), ("rcs:acme", True)])
def test_only_a_name_cannot_be_answered(text: str, can: bool) -> None:
    assert parse_address(text).can_be_answered is can


def test_a_number_that_begins_like_a_toll_free_one_is_none() -> None:
    assert is_toll_free("+18005551234")
    assert not is_toll_free("+180055512345")
    assert not is_toll_free("whatsapp:+18005551234")


@given(st.text())
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert parse_address(str(address)) == address
