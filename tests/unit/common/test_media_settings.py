"""What an operator may say of media, and the sentence for what makes no sense."""

from __future__ import annotations

import pytest

from parley_agent.settings import read_settings
from parley_common.settings import SettingsError
from parley_common.shared_settings import read_limits
from parley_common.topology import Limits

CHANNEL = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "t", "TWILIO_PHONE_NUMBER": "+15550100100"}


def test_without_a_word_media_are_kept_as_long_as_events() -> None:
    assert read_limits({"PARLEY_STREAM_MAX_AGE_S": "7200"}).media_kept_s == 7200.0


def test_an_operator_says_how_long_and_how_many_bytes_of_media_are_kept() -> None:
    told = {"PARLEY_MEDIA_MAX_AGE_S": "172800", "PARLEY_MEDIA_MAX_BYTES": "2e9"}
    assert read_limits(told) == Limits(media_max_age_s=172_800.0, media_max_bytes=2_000_000_000)
    assert read_limits(told).media_kept_s == 172_800.0


def test_an_operator_says_how_long_a_turn_waits_for_media() -> None:
    assert read_settings(CHANNEL).media_within_s == 45.0
    assert read_settings(CHANNEL | {"PARLEY_MEDIA_WITHIN_S": "5"}).media_within_s == 5.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_MEDIA_MAX_AGE_S", "1"),
        ("PARLEY_MEDIA_MAX_AGE_S", "86399"),
        ("PARLEY_MEDIA_MAX_AGE_S", "a week"),
        ("PARLEY_MEDIA_MAX_BYTES", "10"),
        ("PARLEY_MEDIA_MAX_BYTES", "1000000.5"),
        ("PARLEY_MEDIA_WITHIN_S", "0"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(CHANNEL | {name: value})


def test_media_are_kept_for_a_day_at_least_and_the_sentence_says_why() -> None:
    assert read_limits({"PARLEY_MEDIA_MAX_AGE_S": "86400"}).media_kept_s == 86_400.0
    with pytest.raises(SettingsError, match=r"a day .* Twilio may fetch"):
        read_limits({"PARLEY_MEDIA_MAX_AGE_S": "3600"})
