"""When a request is made again, and how long that takes."""

from datetime import UTC, datetime

import pytest

from parley_brains.webhook.retries import Failed, refused, retry_after_s, wait_s
from parley_brains.webhook.settings import Form

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
AGAIN = Failed("answered 503", error="503", again=True)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_status_that_passes_is_worth_another_request(status: int) -> None:
    assert refused(status, None, Form.PARLEY, NOW).again


@pytest.mark.parametrize(
    "status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410, 413, 422, 500, 501]
)
def test_any_other_status_is_not(status: int) -> None:
    failed = refused(status, "1", Form.PARLEY, NOW)
    assert not failed.again
    assert failed.reason.startswith(f"answered {status}")
    assert failed.error == str(status)


def test_rasa_gets_no_text_twice_that_it_may_have_taken() -> None:
    assert [status for status in (429, 502, 503, 504) if refused(status, None, Form.RASA, NOW).again] == [429, 503]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("-7", 0),
        ("7.5", 0),
        ("soon", 0),
        ("²", 0),
        ("9" * 400, 999_999_999),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 12:00:30", 30),
        ("Sat, 21 Nov 99999999999999999999 12:00:30 GMT", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_each_wait_is_longer_than_the_last_and_chance_spreads_it() -> None:
    longest = [wait_s(AGAIN, tries, retries=9, left_s=60, chance=1.0) for tries in range(1, 7)]
    assert longest == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert [wait_s(AGAIN, tries, retries=9, left_s=60, chance=0.0) for tries in (1, 2)] == [0.25, 0.5]


def test_the_bot_is_left_alone_for_as_long_as_it_asks() -> None:
    busy = Failed("answered 429", error="429", again=True, after_s=3.0)
    assert wait_s(busy, 1, retries=2, left_s=10, chance=1.0) == 3.0


def test_no_wait_is_longer_than_what_is_left() -> None:
    busy = Failed("answered 429", error="429", again=True, after_s=30.0)
    assert wait_s(busy, 1, retries=2, left_s=10, chance=1.0) is None
    assert wait_s(AGAIN, 1, retries=2, left_s=0.4, chance=1.0) is None


def test_there_are_so_many_retries_and_no_more() -> None:
    assert [wait_s(AGAIN, tries, retries=2, left_s=60, chance=1.0) for tries in (1, 2, 3)] == [0.5, 1.0, None]
    assert wait_s(AGAIN, 1, retries=0, left_s=60, chance=1.0) is None


def test_what_will_fail_again_is_not_asked_again() -> None:
    assert wait_s(Failed("answered 400", error="400"), 1, retries=9, left_s=60, chance=1.0) is None
