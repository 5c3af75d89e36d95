"""What ingress reads from the environment about its limits and its backfill."""

from __future__ import annotations

import subprocess
import sys

import pytest

from parley_common.http_limits import HttpLimits, read_http_limits
from parley_common.settings import SettingsError
from parley_ingress.settings import BackfillSettings, read_settings
from unit.ingress.webhook_forms import ACCOUNT, NUMBER

NEEDED = {
    "PARLEY_PUBLIC_URL": "https://sms.example.com",
    "PARLEY_SECRET_KEY": "s" * 32,
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": "t" * 32,
    "TWILIO_PHONE_NUMBER": NUMBER,
}


def test_unset_limits_have_their_defaults() -> None:
    assert read_http_limits({}) == HttpLimits(head_s=10.0, body_s=10.0, connections=2_000)
    settings = read_settings(NEEDED)
    assert settings.backfill == BackfillSettings(every_s=120.0, after_s=180.0, twilio_timeout_s=10.0)
    assert settings.limits.max_age_s == 30 * 86_400


def test_limits_are_what_was_set() -> None:
    environment = {"PARLEY_HEAD_TIMEOUT_S": "1", "PARLEY_BODY_TIMEOUT_S": "2.5", "PARLEY_MOST_CONNECTIONS": "7"}
    assert read_http_limits(environment) == HttpLimits(head_s=1.0, body_s=2.5, connections=7)
    backfill = read_settings({**NEEDED, "PARLEY_BACKFILL_EVERY_S": "0", "PARLEY_BACKFILL_AFTER_S": "1"}).backfill
    assert (backfill.every_s, backfill.after_s) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_HEAD_TIMEOUT_S", "0"),
        ("PARLEY_BODY_TIMEOUT_S", "soon"),
        ("PARLEY_MOST_CONNECTIONS", "0"),
        ("PARLEY_MOST_CONNECTIONS", "1.5"),
    ],
)
def test_a_limit_that_makes_no_sense_is_told_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_http_limits({name: value})


@pytest.mark.parametrize("name", ["PARLEY_BACKFILL_EVERY_S", "PARLEY_BACKFILL_AFTER_S", "PARLEY_TWILIO_TIMEOUT_S"])
def test_a_backfill_setting_that_makes_no_sense_is_told_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({**NEEDED, name: "-1"})


_FIT = """
import resource
from parley_common.http_limits import HttpLimits, fit_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(fit_open_files(HttpLimits()).connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "files"), [(3_000, 3_000, 2_000, 3_000), (256, 3_000, 2_000, 2_128)]
)
def test_the_process_may_open_files_for_all_connections(
    soft: int, hard: int, connections: int, files: int
) -> None:
    assert fitted(soft, hard)[-2:] == [str(connections), str(files)]


def test_where_it_may_not_it_takes_fewer_connections_and_says_so() -> None:
    words = fitted(300, 300)
    assert words[-2:] == [str(300 - 128), "300"]
    assert "raise" in words


def fitted(soft: int, hard: int) -> list[str]:
    """What a process with such limits makes of them: its words."""
    program = [sys.executable, "-c", _FIT.format(soft=soft, hard=hard)]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
