"""A setting that is missing or makes no sense is one sentence that names it and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_common.settings import SettingsError
from parley_status.database import Database
from parley_status.settings import read_settings

COMPLETE = {"PARLEY_API_KEY": "key", "PARLEY_DATABASE_URL": "postgresql://host/db"}


def test_without_a_database_url_a_file_in_the_data_directory_is_used(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    settings = read_settings({"PARLEY_API_KEY": "key", "PARLEY_DATA_DIR": str(data_dir)})
    assert settings.database_url == f"sqlite:///{data_dir}/status.db"
    assert data_dir.is_dir()
    assert settings.port == 8081


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_used_where_the_url_names_it(scheme: str) -> None:
    settings = read_settings({"PARLEY_API_KEY": "key", "PARLEY_DATABASE_URL": f"{scheme}://u:p@host/db"})
    assert settings.database_url == "postgresql+psycopg://u:p@host/db"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "PARLEY_API_KEY is not set"),
        ({"PARLEY_API_KEY": " "}, "PARLEY_API_KEY is not set"),
        ({"PARLEY_API_KEY": "key", "PARLEY_DATABASE_URL": "mysql://host/db"}, "PARLEY_DATABASE_URL is not for"),
        (
            {"PARLEY_API_KEY": "key", "PARLEY_DATA_DIR": "/dev/null/x"},
            "PARLEY_DATA_DIR /dev/null/x cannot be made",
        ),
        ({"PARLEY_API_KEY": "key", "PARLEY_STATUS_PORT": "http"}, "PARLEY_STATUS_PORT is 'http'"),
        ({**COMPLETE, "PARLEY_ASK_AFTER_S": "0"}, "PARLEY_ASK_AFTER_S is 0: it must be at least 1"),
        (
            {**COMPLETE, "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_PHONE_NUMBER": "+15550100000"},
            "TWILIO_ACCOUNT_SID is not a SID",
        ),
    ],
    ids=["no key", "blank key", "another database", "no directory", "no port", "no wait", "no account"],
)
def test_a_mistake_is_named(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_settings(environment)


def test_a_database_url_that_is_none_is_named_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="PARLEY_DATABASE_URL is not a URL") as caught:
        Database("postgresql+psycopg://user:secret@host:port/db")
    assert "secret" not in str(caught.value)


def test_neither_key_nor_password_is_shown() -> None:
    settings = read_settings(
        {"PARLEY_API_KEY": "api-secret", "PARLEY_DATABASE_URL": "postgres://u:pass-word@h/db"}
    )
    assert "api-secret" not in repr(settings)
    assert "pass-word" not in repr(settings)


ACCOUNT = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "twilio-secret",
    "TWILIO_PHONE_NUMBER": "+15550100000",
}


def test_without_an_account_nobody_is_asked(tmp_path: Path) -> None:
    settings = read_settings({"PARLEY_API_KEY": "key", "PARLEY_DATA_DIR": str(tmp_path)})
    assert settings.asking is None


def test_with_an_account_twilio_is_asked_after_half_a_day(tmp_path: Path) -> None:
    environment = {"PARLEY_API_KEY": "key", "PARLEY_DATA_DIR": str(tmp_path), **ACCOUNT}
    asking = read_settings(environment).asking
    assert asking is not None
    assert (asking.after_s, asking.timeout_s) == (43_200, 10)
    assert [channel.account_sid for channel in asking.channels.all] == [ACCOUNT["TWILIO_ACCOUNT_SID"]]
    sooner = read_settings({**environment, "PARLEY_ASK_AFTER_S": "60"}).asking
    assert sooner is not None
    assert sooner.after_s == 60


def test_the_token_of_an_account_is_not_shown(tmp_path: Path) -> None:
    environment = {"PARLEY_API_KEY": "key", "PARLEY_DATA_DIR": str(tmp_path), **ACCOUNT}
    assert "twilio-secret" not in repr(read_settings(environment))
