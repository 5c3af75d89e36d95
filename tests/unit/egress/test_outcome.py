"""What Twilio's answers mean: every code that a create can be answered with lands in its class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.events import FailureClass
from parley_egress.outcome import (
    ACTIONS,
    Action,
    InDoubt,
    NotSent,
    hold_after,
    hold_after_code,
    is_over,
    refused,
    unreachable,
)

SYNCHRONOUS = {
    FailureClass.THROTTLED: (20429, 21611),
    FailureClass.OPTED_OUT: (21610,),
    FailureClass.RECIPIENT: (21211, 21265, 21266, 21612, 21614, 21635),
    FailureClass.CONTENT: (
        21601, 21602, 21604, 21609, 21617, 21619, 21620, 21623, 21624, 21654, 21655, 21656,
    ),
    FailureClass.CONFIGURATION: (
        20404, 21212, 21267, 21408, 21603, 21606, 21608, 21659, 21660, 21661, 21701, 21703, 21704,
    ),
    FailureClass.ACCOUNT: (20003, 20005),
}  # fmt: skip
"""The codes that Twilio documents as an answer to a create."""

LATER = {
    FailureClass.THROTTLED: (30001, 30022, 63017, 63018),
    FailureClass.RECIPIENT: (30004, 30005, 30006, 63032, 63049),
    FailureClass.CONTENT: (30007, 30011, 30019, 63016),
    FailureClass.EXPIRED: (30036,),
    FailureClass.TRANSIENT_DELIVERY: (30003, 30008, 30017, 30410, 30500, 63009, 63010, 63012),
    FailureClass.OPTED_OUT: (63024, 63033),
    FailureClass.QUOTA: (30023, 30027, 30044, 30454, 63038),
    FailureClass.FRAUD_BLOCK: (30450, 30453, 30485),
    FailureClass.LOOP_GUARD: (14107,),
    FailureClass.SCHEDULE: (30610,),
    FailureClass.ACCOUNT: (30002, 30037),
}
"""Codes known from status callbacks; some senders are told them at once."""

KEPT = {
    FailureClass.THROTTLED,
    FailureClass.TRANSIENT_DELIVERY,
    FailureClass.LOOP_GUARD,
    FailureClass.FRAUD_BLOCK,
    FailureClass.QUOTA,
    FailureClass.SCHEDULE,
    FailureClass.ACCOUNT,
}

HTTP_STATUS = {20003: 401, 20404: 404, 20429: 429, 21610: 400}


def cases(table: dict[FailureClass, tuple[int, ...]]) -> list[object]:
    return [pytest.param(code, failure, id=f"{code}") for failure, codes in table.items() for code in codes]


@pytest.mark.parametrize(("code", "failure"), cases(SYNCHRONOUS) + cases(LATER))
def test_every_known_code_has_its_class(code: int, failure: FailureClass) -> None:
    outcome = refused(HTTP_STATUS.get(code, 400), code)
    assert isinstance(outcome, NotSent)
    assert (outcome.failure, outcome.code) == (failure, code)


@pytest.mark.parametrize(("code", "failure"), cases(SYNCHRONOUS) + cases(LATER))
def test_what_may_work_later_is_kept_and_all_else_is_over(code: int, failure: FailureClass) -> None:
    outcome = refused(HTTP_STATUS.get(code, 400), code)
    assert isinstance(outcome, NotSent)
    assert outcome.final is (failure not in KEPT)


@pytest.mark.parametrize("failure", FailureClass)
def test_every_class_has_its_action(failure: FailureClass) -> None:
    consequence = ACTIONS[failure]
    assert (consequence.hold_s > 0.0) >= (consequence.action is Action.HOLD)
    assert (hold_after(failure) > 0.0) is (consequence.action is Action.HOLD)
    assert is_over(failure) is (consequence.action in (Action.GIVE_UP, Action.SUPPRESS))


@pytest.mark.parametrize(
    ("code", "seconds"),
    [
        pytest.param(14107, 60.0, id="a loop"),
        pytest.param(30022, 60.0, id="too fast for the carrier"),
        pytest.param(30450, 1_800.0, id="a fraud block"),
        pytest.param(30005, 0.0, id="no such phone"),
        pytest.param(99999, 0.0, id="a code nobody knows"),
        pytest.param(None, 0.0, id="delivered"),
    ],
)
def test_a_delivery_that_failed_holds_the_conversation(code: int | None, seconds: float) -> None:
    assert hold_after_code(code) == seconds


def test_a_connection_that_was_refused_is_tried_again() -> None:
    outcome = unreachable("ClientConnectorError")
    assert (outcome.failure, outcome.final) == (FailureClass.UNREACHABLE, False)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(429, None, id="a 429 that is not Twilio's"),
        pytest.param(400, None, id="a 400 that is not Twilio's"),
        pytest.param(403, None, id="a 403 of something on the way"),
        pytest.param(404, None, id="a 404 that is not Twilio's"),
        pytest.param(307, None, id="a redirect, which is not followed"),
        pytest.param(500, 20500, id="Twilio's internal error"),
        pytest.param(503, 20503, id="Twilio is unavailable"),
        pytest.param(500, None, id="500"),
        pytest.param(502, None, id="502"),
        pytest.param(504, None, id="504"),
        pytest.param(503, 20429, id="a 503 whatever its code says"),
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_part_in_doubt(status: int, code: int | None) -> None:
    assert isinstance(refused(status, code), InDoubt)


def test_an_unknown_code_ends_the_part_and_keeps_the_code() -> None:
    outcome = refused(400, 29_999)
    assert outcome == NotSent(
        failure=FailureClass.UNKNOWN, final=True, reason="Twilio refused it with HTTP 400", code=29_999
    )


def test_a_429_of_twilio_is_tried_again_whatever_its_code() -> None:
    outcome = refused(429, 29_999)
    assert isinstance(outcome, NotSent)
    assert (outcome.failure, outcome.final) == (FailureClass.THROTTLED, False)


@given(st.integers(300, 499), st.integers(1_000, 99_999))
def test_an_answer_with_a_code_is_never_in_doubt(status: int, code: int) -> None:
    """Twilio did not process it: whoever waits for evidence waits in vain."""
    assert isinstance(refused(status, code), NotSent)


@given(st.integers(500, 599), st.none() | st.integers(1_000, 99_999))
def test_a_server_error_is_always_in_doubt(status: int, code: int | None) -> None:
    assert isinstance(refused(status, code), InDoubt)
