"""Numbers are masked wherever they stand; what operators search for is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.redaction import redact_number, redact_text

SID = "SM0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+15551234567", "+1555•••4567"),
        ("+1 (555) 123-4567", "+1555•••4567"),
        ("+491701234567", "+49170•••4567"),
        ("+3545551234", "+354•••1234"),
        ("+35455512", "+354•••12"),
        ("+1234567", "+12•••67"),
        ("+12345", "•••45"),
        ("15551234567", "•••4567"),
        ("whatsapp:+15551234567", "whatsapp:+1555•••4567"),
        ("messenger:1234567890123456", "messenger:•••3456"),
        ("whatsapp:US.1234567890", "whatsapp:•••"),
        ("384387", "•••87"),
        ("1234", "•••"),
        ("ACME", "•••"),
        ("call +15551234567", "•••"),
        ("", "•••"),
        ("+", "•••"),
    ],
)
def test_an_address_shows_its_ends_at_most(address: str, shown: str) -> None:
    assert redact_number(address) == shown


@given(st.from_regex(r"\+?[0-9]{0,20}", fullmatch=True))
def test_at_least_three_digits_are_hidden(number: str) -> None:
    digits = sum(map(str.isdigit, number))
    assert sum(map(str.isdigit, redact_number(number))) <= max(0, digits - 3)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("to +15551234567 failed", "to +1555•••4567 failed"),
        ("whatsapp:+15551234567", "whatsapp:+1555•••4567"),
        ("From=%2B15551234567&To=%2B15557654321", "From=%2B•••4567&To=%2B•••4321"),
        ("To='15551234567'", "To='•••4567'"),
        ("call 555-1234", "call •••34"),
        ("call (555) 123-4567 now", "call (•••4567 now"),
        ("call 555.123.4567", "call •••4567"),
        ("call (555) 123.4567", "call (•••4567"),
        ("Tel 0170/1234567", "Tel •••4567"),
        ("06 12 34 56 78", "•••5678"),
        ("+49 170 12 34 56 7", "+49170•••4567"),
        ("+1\u2011555\u2011123\u20114567", "+1555•••4567"),
        ("a+15551234567b", "a+1555•••4567b"),
        ("٠١٢٣٤٥٦٧٨٩", "•••٦٧٨٩"),
        ("id15551234567", "id•••4567"),
        (f"{SID} for +15551234567", f"{SID} for +1555•••4567"),
        ("2026-11-21 15551234567", "2026-11-21 •••4567"),
        ("5551234567ms", "5551234567ms"),
    ],
)
def test_numbers_in_a_text_are_masked(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        SID,
        "ACffffffffffffffffffffffffffffffff MG00000000000000000000000000000000",
        f"POST /2010-04-01/Accounts/{SID}/Messages.json",
        "conv.4bf92f3577b34da6a3ce929d0e0e4736.in",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "550e8400-e29b-41d4-a716-446655440000",
        "2026-11-21T05:25:10.123456Z",
        "2026-11-21T05:25:10+00:00",
        "2026-11-21 05:25:10,123 INFO",
        "05:25:10.123456",
        "took 0.123456789 s",
        "took 1234567ns or 12.3456789ms",
        "10.128.255.101:4222",
        "http://127.0.0.1:8080/readyz",
        "error 21610, port 4222, line 123456",
        "already +1555•••4567",
        "no digits at all — “quotes”",
        "",
    ],
)
def test_what_operators_search_for_is_spared(text: str) -> None:
    assert redact_text(text) == text


@given(
    st.text(),
    st.text(),
    st.sampled_from(["+15551234567", "+1 555 123 4567", "+447700900123", "+49 (170) 1234567"]),
)
def test_a_number_between_other_words_never_shows(before: str, after: str, number: str) -> None:
    redacted = redact_text(f"{before} {number} {after}")
    assert number not in redacted
    assert not re.search(r"\+\d{7}", redacted)


@pytest.mark.parametrize(
    "text",
    ["1" * 100_000, "1 " * 50_000, "a1" * 50_000, "1." * 50_000, "0123456789abcdef" * 6000, "2026-11-21" * 9000],
)
def test_a_hostile_text_is_redacted_in_time(text: str) -> None:
    assert len(redact_text(text)) <= len(text)
