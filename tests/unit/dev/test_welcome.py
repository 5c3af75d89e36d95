"""What a person reads once all is ready."""

from __future__ import annotations

from pathlib import Path

from parley_dev.data_dir import Secrets
from parley_dev.plan import make_plan
from parley_dev.welcome import welcome

SECRETS = Secrets(
    hash_key="a" * 64, api_key="b" * 64, account_sid=f"AC{'c' * 32}", auth_token="d" * 32, secret_key="e" * 64
)
REAL = {
    "TWILIO_ACCOUNT_SID": f"AC{'1' * 32}",
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_PHONE_NUMBER": "+15550100009",
    "PARLEY_PUBLIC_URL": "https://sms.example.com/",
}


def words(settings: dict[str, str], header: Path | None = Path("/data/api-key.header")) -> str:
    return welcome(make_plan(settings, Path("/data"), SECRETS), header, "a script", 2.04)


def test_a_simulated_run_says_where_the_phone_is() -> None:
    shown = words({})
    assert "Text the bot at http://127.0.0.1:8082" in shown
    assert "no text leaves this machine" in shown
    assert "ready after 2.0 s" in shown
    assert "agent       a script" in shown


def test_a_real_run_says_which_webhook_to_set() -> None:
    shown = words(REAL)
    assert "https://sms.example.com/webhooks/twilio/sms#rc=5&rp=all" in shown
    assert "simulated" not in shown
    assert "phone page" not in shown


def test_the_api_is_called_with_the_key_from_its_file() -> None:
    assert "curl -H @/data/api-key.header http://127.0.0.1:8081/v1/conversations" in words({})


def test_a_key_of_the_environment_is_called_by_its_variable() -> None:
    assert '-H "Authorization: Bearer $PARLEY_API_KEY"' in words({}, header=None)


def test_no_secret_is_shown() -> None:
    shown = words({"NATS_URL": "nats://parley:hidden@broker.example.com:4222"})
    assert "nats://broker.example.com:4222" in shown
    assert not any(secret in shown for secret in ("hidden", SECRETS.api_key, SECRETS.hash_key, SECRETS.auth_token))
