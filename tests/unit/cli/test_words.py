"""Sentences, tables and addresses as the command writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from parley_cli import words
from parley_cli.backfill import told
from parley_cli.broker import check_channel
from parley_cli.switches import Switch, Switchboard, described, resumed
from parley_common.broker import Broker
from parley_common.requests import BackfillAnswer, BackfillRequest

SINCE = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_a_time_is_shown_in_utc() -> None:
    there = datetime(2026, 11, 21, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    assert words.at(there) == "2026-11-21T10:30:00Z"


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    assert words.table(("A", "B"), [("long one", "x"), ("s", "y")]) == "A         B\nlong one  x\ns         y"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain\nlines", "plain\nlines"), ("\x1b[2J", "\\x1b[2J"), ("a\rb", "a\\rb"), ("für dich ✓", "für dich ✓")],
)
def test_what_could_steer_a_terminal_is_made_visible(text: str, expected: str) -> None:
    assert words.printable(text) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nats://127.0.0.1:4222", "127.0.0.1:4222"),
        ("nats://user:secret@host:4222", "host:4222"),
        ("nats://token@a:1, nats://token@b:2", "a:1,b:2"),
        ("token@host:4222", "host:4222"),
    ],
)
def test_an_address_is_shown_without_its_credentials(url: str, expected: str) -> None:
    assert Broker(url).shown == expected


def test_a_channel_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(words.Refused, match="no channel 'defualt': name one of default"):
        check_channel("defualt")
    check_channel("default")


def board(*paused: str) -> Switchboard:
    switches = tuple(Switch(channel=name, paused=True, since=SINCE, reason="why") for name in paused)
    off = Switch(channel="off", paused=False, since=SINCE, reason="")
    return Switchboard(switches=(*switches, off))


def test_resuming_one_channel_tells_only_of_what_holds_it_back() -> None:
    assert resumed("a", board("b")) == "Sending goes on for channel a."
    assert "but still for all channels: parley resume." in resumed("a", board("", "b"))


def test_resuming_all_tells_of_every_channel_that_is_still_held_back() -> None:
    assert "but still for channel a, channel b: parley resume a, parley resume b." in resumed("", board("a", "b"))


def test_a_reason_cannot_steer_the_terminal() -> None:
    switch = Switch(channel="", paused=True, since=SINCE, reason="\x1b]0;gotcha")
    assert "\x1b" not in described(Switchboard(switches=(switch,)))


def test_a_backfill_is_told_with_its_problems() -> None:
    request = BackfillRequest(since=SINCE, until=SINCE + timedelta(hours=2))
    answer = BackfillAnswer(found=5, brought_in=2, known=3, problems=("channel default: Twilio answered 503",))
    assert told(request, answer).splitlines() == [
        "From 2026-11-21T10:00:00Z to 2026-11-21T12:00:00Z Twilio has 5 texts: 2 brought in, 3 known.",
        "problem: channel default: Twilio answered 503",
    ]
