"""Settings from the environment."""

import pytest

from parley_simulator.settings import SettingsError, read_settings

GOOD = {
    "TWILIO_ACCOUNT_SID": "AC" + "0a" * 16,
    "TWILIO_AUTH_TOKEN": "secret",
    "TWILIO_PHONE_NUMBER": "+15550100100, +15550100101",
    "PARLEY_PUBLIC_URL": "http://127.0.0.1:8080/",
}


def test_good_settings_are_read() -> None:
    settings = read_settings(GOOD)
    assert settings.numbers == ("+15550100100", "+15550100101")
    assert settings.port == 8082
    assert settings.messaging_service_sid is None
    assert settings.inbound_url == "http://127.0.0.1:8080/webhooks/twilio/sms#rc=5&rp=all"


def test_in_a_cluster_it_listens_for_all_and_calls_itself_by_the_name_of_its_service() -> None:
    assert (read_settings(GOOD).host, read_settings(GOOD).origin) == ("127.0.0.1", None)
    settings = read_settings(
        GOOD | {"PARLEY_HOST": "0.0.0.0", "TWILIO_API_BASE_URL": "http://parley-simulator:8082/"}
    )
    assert (settings.host, settings.origin) == ("0.0.0.0", "http://parley-simulator:8082")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("TWILIO_ACCOUNT_SID", "", id="no account"),
        pytest.param("TWILIO_ACCOUNT_SID", "AC12", id="short account"),
        pytest.param("TWILIO_AUTH_TOKEN", " ", id="no token"),
        pytest.param("TWILIO_PHONE_NUMBER", "", id="no number"),
        pytest.param("TWILIO_PHONE_NUMBER", "5550100", id="number without a country"),
        pytest.param("TWILIO_MESSAGING_SERVICE_SID", "MG1", id="short service"),
        pytest.param("PARLEY_PUBLIC_URL", "127.0.0.1:8080", id="address without a scheme"),
        pytest.param("PARLEY_PUBLIC_URL", "http://127.0.0.1:8080/?a=b", id="address with a query"),
        pytest.param("TWILIO_API_BASE_URL", "simulator:8082", id="own address without a scheme"),
        pytest.param("PARLEY_SIMULATOR_PORT", "70000", id="no such port"),
        pytest.param("PARLEY_SIMULATOR_PORT", "http", id="port by name"),
    ],
)
def test_a_bad_setting_is_named_in_one_sentence(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(GOOD | {name: value})
    words = str(refused.value)
    assert words.startswith(name)
    assert words.endswith(".")
    assert "\n" not in words


def test_a_secret_is_not_repeated_in_an_error() -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(GOOD | {"TWILIO_ACCOUNT_SID": "AC-not-a-sid"})
    assert "AC-not-a-sid" not in str(refused.value)
