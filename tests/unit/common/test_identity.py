"""Keyed hashes: the same for ever, different under another key, and never a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.identity import Identity

KEY = b"0123456789abcdef0123456789abcdef"
OTHER_KEY = b"fedcba9876543210fedcba9876543210"
PERSON = "+15550100200"

identity = Identity(KEY)
texts = st.text(st.characters(exclude_characters="\0"), max_size=40)


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        pytest.param(
            identity.conversation("default", PERSON), "09b9533285d701c87d2adcfebd2cadab", id="conversation"
        ),
        pytest.param(identity.consent("+15550100100", PERSON), "905021c0f6870627574ab8e0f5281c61", id="consent"),
        pytest.param(identity.sender("AC1", "+15550100100"), "66670ce3d2c030a5ae43af7b79a9ed9a", id="sender"),
    ],
)
def test_a_digest_is_the_same_in_every_release(digest: str, expected: str) -> None:
    assert digest == expected


def test_another_key_makes_another_conversation() -> None:
    assert identity.conversation("default", PERSON) != Identity(OTHER_KEY).conversation("default", PERSON)


def test_one_person_has_a_conversation_with_each_channel() -> None:
    assert identity.conversation("sales", PERSON) != identity.conversation("support", PERSON)


def test_what_a_digest_stands_for_is_part_of_it() -> None:
    digests = {identity.conversation("a", "b"), identity.consent("a", "b"), identity.sender("a", "b")}
    assert len(digests) == 3


def test_where_one_part_ends_is_part_of_the_digest() -> None:
    assert identity.conversation("ab", "c") != identity.conversation("a", "bc")


@given(texts, texts)
def test_a_digest_is_32_hex_digits_and_a_subject_token(channel: str, contact: str) -> None:
    digest = identity.conversation(channel, contact)
    assert len(digest) == 32
    assert set(digest) <= set("0123456789abcdef")


@given(st.integers(10**9, 10**12))
def test_no_number_stands_in_its_digest(digits: int) -> None:
    assert str(digits) not in identity.conversation("default", f"+{digits}")


def test_a_lone_surrogate_in_an_address_has_a_digest_too() -> None:
    assert len(identity.conversation("default", "whatsapp:\udcff")) == 32
