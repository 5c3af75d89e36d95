"""The environment a local run gives its processes, and the sentences about settings that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_common.settings import SettingsError
from parley_dev.data_dir import Secrets
from parley_dev.plan import Plan, make_plan
from parley_dev.processes import stop_waves, table

SECRETS = Secrets(
    hash_key="a" * 64, api_key="b" * 64, account_sid=f"AC{'c' * 32}", auth_token="d" * 32, secret_key="e" * 64
)
DATA = Path("/data")
REAL = {
    "TWILIO_ACCOUNT_SID": f"AC{'1' * 32}",
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_PHONE_NUMBER": "+15550100009",
    "PARLEY_PUBLIC_URL": "https://sms.example.com",
}


def plan(**environment: str) -> Plan:
    return make_plan(environment, DATA, SECRETS)


def names(of: Plan) -> list[str]:
    return [row.name for row in table(of)]


def test_nothing_set_runs_everything_against_the_simulator() -> None:
    quiet = plan()
    assert names(quiet) == ["nats", "declare", "simulator", "ingress", "agent", "egress", "status"]
    assert quiet.environment["TWILIO_API_BASE_URL"] == "http://127.0.0.1:8082"
    assert quiet.environment["PARLEY_PUBLIC_URL"] == "http://127.0.0.1:8080"
    assert quiet.environment["NATS_URL"] == "nats://127.0.0.1:4222"
    assert quiet.environment["TWILIO_ACCOUNT_SID"] == SECRETS.account_sid
    assert quiet.environment["PARLEY_HASH_KEY"] == SECRETS.hash_key
    assert quiet.environment["PARLEY_HOST"] == "127.0.0.1"


def test_real_credentials_start_no_simulator() -> None:
    real = plan(**REAL)
    assert "simulator" not in names(real)
    assert "TWILIO_API_BASE_URL" not in real.environment
    assert "SMS_ALLOW_ALL_USERS" not in real.environment


def test_a_server_that_speaks_twilio_replaces_the_simulator() -> None:
    real = plan(**REAL, TWILIO_API_BASE_URL="http://127.0.0.1:9999")
    assert "simulator" not in names(real)
    assert real.environment["TWILIO_API_BASE_URL"] == "http://127.0.0.1:9999"


@pytest.mark.parametrize("host", ["127.0.0.1:9999", "localhost:9999", "[::1]:9999"])
def test_a_server_on_this_machine_needs_no_public_url(host: str) -> None:
    settings = {**REAL, "TWILIO_API_BASE_URL": f"http://{host}", "PARLEY_PUBLIC_URL": ""}
    assert make_plan(settings, DATA, SECRETS).environment["PARLEY_PUBLIC_URL"] == "http://127.0.0.1:8080"


def test_a_broker_outside_is_used_and_none_started() -> None:
    outside = plan(NATS_URL="nats://broker.example.com:4222")
    assert "nats" not in names(outside)
    assert "nats" not in outside.ports
    assert outside.environment["NATS_URL"] == "nats://broker.example.com:4222"


def test_everything_that_is_set_is_kept() -> None:
    given = {
        "PARLEY_HASH_KEY": "e" * 64,
        "PARLEY_API_KEY": "f" * 64,
        "PARLEY_LOG_FORMAT": "json",
        "PARLEY_PUBLIC_URL": "http://127.0.0.1:7000",
        "TWILIO_PHONE_NUMBER": "+15550100007",
        "PARLEY_GRACE_S": "3",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
    }
    assert given.items() <= plan(**given).environment.items()


def test_moved_ports_move_every_address_made_of_them() -> None:
    moved = plan(SMS_WEBHOOK_PORT="9000", PARLEY_SIMULATOR_PORT="9002", PARLEY_NATS_PORT="9003")
    assert moved.environment["PARLEY_PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert moved.environment["TWILIO_API_BASE_URL"] == "http://127.0.0.1:9002"
    assert moved.environment["NATS_URL"] == "nats://127.0.0.1:9003"
    assert "9003" in table(moved)[0].command


@pytest.mark.parametrize(
    ("given", "allow_all"),
    [
        pytest.param({}, "true", id="nothing said: all phones of the simulator may text"),
        pytest.param({"SMS_ALLOWED_USERS": "+15550100001"}, None, id="some are named: only they"),
        pytest.param({"SMS_ALLOW_ALL_USERS": "false"}, "false", id="said so: nobody"),
    ],
)
def test_everybody_may_text_a_simulated_bot_unless_the_environment_says_who(
    given: dict[str, str], allow_all: str | None
) -> None:
    assert plan(**given).environment.get("SMS_ALLOW_ALL_USERS") == allow_all


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param(
            {"TWILIO_AUTH_TOKEN": "token"},
            "TWILIO_AUTH_TOKEN is set but TWILIO_ACCOUNT_SID is not: set both, or neither to use the simulator",
            id="a token of no account",
        ),
        pytest.param(
            {"TWILIO_API_BASE_URL": "http://127.0.0.1:9"},
            "TWILIO_API_BASE_URL is set but TWILIO_ACCOUNT_SID is not: set both, or neither to use the simulator",
            id="a server without an account",
        ),
        pytest.param(
            {**REAL, "TWILIO_AUTH_TOKEN": ""},
            "TWILIO_ACCOUNT_SID is set but TWILIO_AUTH_TOKEN is not: set both, or neither to use the simulator",
            id="an account without a token",
        ),
        pytest.param(
            {**REAL, "TWILIO_PHONE_NUMBER": " "},
            "TWILIO_PHONE_NUMBER is not set: set it, or TWILIO_MESSAGING_SERVICE_SID",
            id="no sender",
        ),
        pytest.param(
            {**REAL, "PARLEY_PUBLIC_URL": ""},
            "PARLEY_PUBLIC_URL is not set: set it to the address at which Twilio reaches http://127.0.0.1:8080,"
            " such as that of a tunnel",
            id="an address Twilio cannot know",
        ),
        pytest.param(
            {**REAL, "PARLEY_PUBLIC_URL": "", "TWILIO_API_BASE_URL": "https://twilio.example.com"},
            "PARLEY_PUBLIC_URL is not set: set it to the address at which Twilio reaches http://127.0.0.1:8080,"
            " such as that of a tunnel",
            id="a server elsewhere cannot call 127.0.0.1",
        ),
        pytest.param(
            {**REAL, "TWILIO_ACCOUNT_SID": "AC123"},
            "TWILIO_ACCOUNT_SID is not a SID: it is AC and 32 hex digits, copy it from the Console",
            id="not an account",
        ),
        pytest.param(
            {"PARLEY_AGENT_PORT": "http"},
            "PARLEY_AGENT_PORT is 'http': write a port from 1 to 65535",
            id="not a port",
        ),
        pytest.param(
            {"PARLEY_HASH_KEY": "short"},
            "PARLEY_HASH_KEY is shorter than 32 characters: use the output of openssl rand -hex 32",
            id="a weak key",
        ),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        make_plan(settings, DATA, SECRETS)
    assert str(refused.value) == sentence


def test_services_stop_before_the_broker() -> None:
    waves = stop_waves(table(plan()))
    assert set(waves[0]) == {"ingress", "agent", "egress", "status"}
    assert "nats" in waves[-1]


def test_without_a_broker_of_its_own_a_run_still_declares_before_the_services() -> None:
    waves = stop_waves(table(plan(NATS_URL="nats://broker.example.com")))
    assert waves == (("ingress", "agent", "egress", "status"), ("declare", "simulator"))
