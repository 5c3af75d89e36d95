"""Times as operators write them."""

from datetime import UTC, datetime, timedelta

import pytest

from parley_cli.times import read_moment

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        (" 3d ", timedelta(days=3)),
        ("0s", timedelta()),
    ],
)
def test_a_duration_is_so_long_ago(text: str, ago: timedelta) -> None:
    assert read_moment(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    "text", ["2026-11-21T10:00Z", "2026-11-21T10:00", "2026-11-21 11:00:00+01:00", "20261121T100000Z"]
)
def test_a_moment_is_read_in_utc_unless_it_names_a_zone(text: str) -> None:
    assert read_moment(text, NOW) == datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2", "h", "2 weeks", "-2h", "2.5h", "tomorrow", "2026-13-01", "999999d"])
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: write 30m, 2h"):
        read_moment(text, NOW)
