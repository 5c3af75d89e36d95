"""What the agent reads from the environment."""

from pathlib import Path

import pytest

from parley_agent.settings import Settings, read_settings
from parley_agent.turns import Pace
from parley_brains.agents import EXAMPLE
from parley_common.settings import SettingsError
from unit.agent.builders import ACCOUNT, NUMBER

ENVIRONMENT = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "token", "TWILIO_PHONE_NUMBER": NUMBER}


def read(**variables: str) -> Settings:
    return read_settings(ENVIRONMENT | variables)


def test_what_is_not_set_has_its_default() -> None:
    settings = read()
    assert settings.port == 8083
    assert settings.agent_file == EXAMPLE
    assert settings.agent_file.is_file()
    assert settings.pace == Pace(gather_s=1.5, reply_expiry_s=3600.0, max_answer_age_s=1800.0)


def test_what_is_set_is_read() -> None:
    settings = read(
        PARLEY_AGENT_PORT="9000",
        PARLEY_AGENT_FILE="/etc/parley/agent.toml",
        PARLEY_GATHER_S="0",
        PARLEY_REPLY_EXPIRY_S="60",
        PARLEY_MAX_ANSWER_AGE_S="900",
        PARLEY_STREAM_REPLICAS="3",
        SMS_ALLOWED_USERS="+15550100200",
    )
    assert (settings.port, settings.agent_file) == (9000, Path("/etc/parley/agent.toml"))
    assert settings.pace == Pace(gather_s=0.0, reply_expiry_s=60.0, max_answer_age_s=900.0)
    assert settings.limits.replicas == 3
    assert settings.channels.all[0].allows("+15550100200")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PARLEY_AGENT_PORT", "agent"),
        ("PARLEY_GATHER_S", "-1"),
        ("PARLEY_GATHER_S", "a moment"),
        ("PARLEY_REPLY_EXPIRY_S", "0"),
        ("PARLEY_MAX_ANSWER_AGE_S", "-1"),
        ("PARLEY_MAX_ANSWER_AGE_S", "half an hour"),
        ("PARLEY_STREAM_REPLICAS", "0"),
        ("TWILIO_ACCOUNT_SID", ""),
    ],
)
def test_a_wrong_setting_is_a_sentence_that_names_it(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} is "):
        read(**{variable: value})
