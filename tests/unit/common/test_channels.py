"""The quick start's channel: whose webhook it is, who may text it, and each mistake in one sentence."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from parley_common.channels import TWILIO_API, Channel, Channels, read_channels
from parley_common.domain.quiet_hours import QuietHours
from parley_common.settings import SettingsError

ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
NUMBER, OTHER_NUMBER = "+15550100100", "+15550100101"
PERSON, STRANGER = "+15550100200", "+15550100201"

ENVIRONMENT = {
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": "secret-token",
    "TWILIO_PHONE_NUMBER": NUMBER,
}


def read(**variables: str) -> Channel:
    (channel,) = read_channels(ENVIRONMENT | variables).all
    return channel


def channel(name: str, *, account_sid: str = ACCOUNT, number: str = "", service: str | None = None) -> Channel:
    return Channel(
        name=name,
        account_sid=account_sid,
        auth_tokens=("t",),
        numbers=(number,) if number else (),
        messaging_service_sid=service,
        allowed=frozenset(),
        allow_all=False,
    )


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read(**variables)
    assert "secret-token" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param(
            {"TWILIO_PHONE_NUMBER": ""},
            "TWILIO_PHONE_NUMBER is not set: set it, or TWILIO_MESSAGING_SERVICE_SID",
            id="no sender",
        ),
        pytest.param(
            {"TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID is not set: set it in the environment", id="no account"
        ),
        pytest.param(
            {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN is not set: set it in the environment", id="no token"
        ),
        pytest.param(
            {"TWILIO_ACCOUNT_SID": SERVICE},
            "TWILIO_ACCOUNT_SID is not a SID: it is AC and 32 hex digits, copy it from the Console",
            id="a service where an account should be",
        ),
        pytest.param(
            {"TWILIO_ACCOUNT_SID": ACCOUNT[:-1]},
            "TWILIO_ACCOUNT_SID is not a SID: it is AC and 32 hex digits, copy it from the Console",
            id="account cut off",
        ),
        pytest.param(
            {"TWILIO_MESSAGING_SERVICE_SID": ACCOUNT},
            "TWILIO_MESSAGING_SERVICE_SID is not a SID: it is MG and 32 hex digits, copy it from the Console",
            id="an account where a service should be",
        ),
        pytest.param(
            {"PARLEY_SENDER_MPS": "fast"}, "PARLEY_SENDER_MPS is 'fast': write a number", id="rate in words"
        ),
        pytest.param(
            {"PARLEY_SENDER_MPS": "-1"}, "PARLEY_SENDER_MPS is -1: it must be at least 0", id="rate below nothing"
        ),
        pytest.param(
            {"TWILIO_API_BASE_URL": "http://simulator:80a"},
            "TWILIO_API_BASE_URL has a host or port that cannot be: write an address like "
            "https://sms.example.com or http://127.0.0.1:8080",
            id="a port that is none",
        ),
        pytest.param(
            {"SMS_ALLOW_ALL_USERS": "all"}, "SMS_ALLOW_ALL_USERS is 'all': write true or false", id="flag"
        ),
        pytest.param(
            {"PARLEY_QUIET_HOURS": "9pm to 8am"},
            "PARLEY_QUIET_HOURS: '9pm to 8am' are no hours with a zone, write them as in "
            "21:00-08:00 America/New_York",
            id="quiet hours in words",
        ),
        pytest.param(
            {"PARLEY_QUIET_HOURS": "21:00-08:00"},
            "PARLEY_QUIET_HOURS: '21:00-08:00' are no hours with a zone, write them as in "
            "21:00-08:00 America/New_York",
            id="quiet hours of nowhere",
        ),
        pytest.param(
            {"PARLEY_QUIET_HOURS": "21:00-08:00 Mars/Olympus"},
            "PARLEY_QUIET_HOURS: Mars/Olympus is no time zone of this machine, write them as in "
            "21:00-08:00 America/New_York",
            id="quiet hours of no zone",
        ),
        pytest.param(
            {"PARLEY_QUIET_HOURS": "21:00-25:00 UTC"},
            "PARLEY_QUIET_HOURS: '21:00-25:00 UTC' has a time that no clock shows, write them as in "
            "21:00-08:00 America/New_York",
            id="quiet hours of no clock",
        ),
        pytest.param(
            {"PARLEY_QUIET_HOURS": "08:00-08:00 UTC"},
            "PARLEY_QUIET_HOURS: '08:00-08:00 UTC' starts when it ends, write them as in "
            "21:00-08:00 America/New_York",
            id="quiet hours of no length",
        ),
        pytest.param(
            {"TWILIO_WEBHOOK_SHARED_KEYS": "key1"},
            "TWILIO_WEBHOOK_SHARED_KEYS must hold pairs: key id=secret,key id=secret",
            id="key without secret",
        ),
    ],
)
def test_a_wrong_channel_is_one_sentence(variables: dict[str, str], sentence: str) -> None:
    assert refusal(**variables) == sentence


@pytest.mark.parametrize("number", ["(555) 010-0100", "15550100100", "my number"])
def test_a_number_that_twilio_would_not_write_so_is_refused(number: str) -> None:
    assert "TWILIO_PHONE_NUMBER" in refusal(TWILIO_PHONE_NUMBER=number)


def test_an_allowed_user_may_be_written_with_spaces() -> None:
    assert read(SMS_ALLOWED_USERS="+1 555 010 0200").allows(PERSON)


def test_nobody_is_allowed_by_default() -> None:
    assert not read().allows(PERSON)


def test_who_is_listed_is_allowed_and_nobody_else() -> None:
    listed = read(SMS_ALLOWED_USERS=f" {PERSON}, +15550100299")
    assert listed.allows(PERSON)
    assert not listed.allows(STRANGER)


def test_all_are_allowed_where_that_is_said() -> None:
    assert read(SMS_ALLOW_ALL_USERS="true").allows(STRANGER)


def test_the_next_token_stands_behind_the_primary() -> None:
    assert read().auth_tokens == ("secret-token",)
    assert read(TWILIO_AUTH_TOKEN_NEXT="next").auth_tokens == ("secret-token", "next")


def test_a_shared_key_may_hold_an_equals_sign() -> None:
    assert read(TWILIO_WEBHOOK_SHARED_KEYS="k1=YWJj==, k2=x").shared_keys == (("k1", "YWJj=="), ("k2", "x"))


def test_without_a_rate_the_senders_type_decides() -> None:
    assert read().rate_mps is None
    assert read(PARLEY_SENDER_MPS="2.5").rate_mps == 2.5


def test_quiet_hours_are_those_of_the_environment() -> None:
    assert read().quiet_hours is None
    assert read(PARLEY_QUIET_HOURS=" 9:00-17:30  Europe/Berlin ").quiet_hours == QuietHours(
        start=time(9), end=time(17, 30), zone=ZoneInfo("Europe/Berlin")
    )


def test_another_api_is_called_without_a_double_slash() -> None:
    assert read().api_base_url == TWILIO_API
    assert read(TWILIO_API_BASE_URL="http://127.0.0.1:8082/").api_base_url == "http://127.0.0.1:8082"


def test_a_messaging_service_needs_no_number_and_answers_for_all() -> None:
    pooled = read(TWILIO_PHONE_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=SERVICE)
    assert pooled.numbers == ()
    assert pooled.sender_for(NUMBER) == SERVICE


def test_without_a_messaging_service_the_texted_number_answers() -> None:
    assert read(TWILIO_PHONE_NUMBER=f"{NUMBER},{OTHER_NUMBER}").sender_for(OTHER_NUMBER) == OTHER_NUMBER


def test_a_channel_knows_its_own_numbers() -> None:
    assert read().owns(NUMBER)
    assert not read().owns(PERSON)


BY_NUMBER = channel("by-number", number=NUMBER)
BY_SERVICE = channel("by-service", service=SERVICE)
ELSEWHERE = channel("elsewhere", account_sid="AC" + "f" * 32, number=OTHER_NUMBER)


@pytest.mark.parametrize(
    ("account", "recipient", "service", "found"),
    [
        pytest.param(ACCOUNT, NUMBER, None, "by-number", id="by its number"),
        pytest.param(ACCOUNT, NUMBER, SERVICE, "by-service", id="the service goes first"),
        pytest.param(ACCOUNT, "+15550100777", SERVICE, "by-service", id="pool numbers need not be listed"),
        pytest.param(ACCOUNT, NUMBER, "MG" + "f" * 32, "by-number", id="a service nobody has"),
        pytest.param(ACCOUNT, "+15550100777", None, None, id="a number nobody has"),
        pytest.param(ACCOUNT, OTHER_NUMBER, None, None, id="a number of another account"),
        pytest.param("AC" + "f" * 32, NUMBER, SERVICE, None, id="another account with our service"),
        pytest.param(ACCOUNT, "", "", None, id="nothing told"),
    ],
)
def test_a_webhook_belongs_to_one_channel_of_its_account(
    account: str, recipient: str, service: str | None, found: str | None
) -> None:
    of = Channels((BY_NUMBER, BY_SERVICE, ELSEWHERE)).of_webhook(account, recipient, service)
    assert (of.name if of else None) == found


def test_a_channel_is_found_by_its_name() -> None:
    channels = Channels((BY_NUMBER, BY_SERVICE))
    assert channels.named("by-service") is BY_SERVICE
    assert channels.named("unheard") is None
