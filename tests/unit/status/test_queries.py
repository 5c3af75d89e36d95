"""Cursors survive the way through a URL, and what is none is refused."""

from __future__ import annotations

import pytest

from parley_status.queries import Moment, Place
from unit.status.samples import at


def test_a_place_is_read_back_from_its_text() -> None:
    assert Place.parse(str(Place(123456, 2))) == Place(123456, 2)


def test_a_moment_is_read_back_to_the_microsecond() -> None:
    moment = Moment(at(1.234567), "c-with-dash")
    assert Moment.parse(str(moment)) == moment


@pytest.mark.parametrize("text", ["", "1", "-", "1-", "a-b", "1-2-3", "-1-2", "1-" + "9" * 30, "١-٢"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the message
        Place.parse(text)


@pytest.mark.parametrize("text", ["", "1", "x-c", "9" * 18 + "-c", "9" * 30 + "-c"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the message
        Moment.parse(text)
