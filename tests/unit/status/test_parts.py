"""A part's row is the same whatever the order of its events, and reports are about it or not."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from parley_common.events import FailureClass, SendEvent, Slot
from parley_status.parts import Failure, Part, concerns, failure_of, fold_part, report_of, settle_part
from parley_status.states import Phase, State
from unit.status.samples import at, attempted, failed, report, sent, sid

Chain = list[tuple[int, SendEvent]]

RETRIED: Chain = [
    (40, attempted()),
    (41, failed(final=False, failure=FailureClass.THROTTLED, code=20429)),
    (42, attempted(attempt=2, second=6)),
    (43, sent(second=7)),
]
REFUSED: Chain = [(40, attempted()), (41, failed())]
LATER = Slot(turn=80, message=0, part=0)
SENT_AGAIN: Chain = [
    (40, failed(attempted=0, failure=FailureClass.EXPIRED, code=None)),
    (81, msgspec.structs.replace(attempted(second=90), slot=LATER)),
    (82, sent(second=91, slot=LATER)),
]


def folded(chain: Chain) -> Part:
    part: Part | None = None
    for sequence, event in chain:
        part = fold_part(part, sequence, event)
    assert part is not None
    return part


@pytest.mark.parametrize("chain", [RETRIED, REFUSED, SENT_AGAIN], ids=["retried", "refused", "sent again"])
def test_any_order_and_repetition_of_a_parts_events_give_one_row(chain: Chain) -> None:
    expected = folded(chain)
    for order in permutations(chain):
        assert folded([*order, *order]) == expected


def test_a_part_that_was_sent_again_stands_where_it_was_sent_last() -> None:
    part = settle_part(folded(SENT_AGAIN), [])
    assert (part.turn, part.phase, part.state, failure_of(part)) == (80, Phase.SENT, State.SENDING, None)


def test_a_retried_part_is_sent_and_shows_no_failure() -> None:
    part = settle_part(folded(RETRIED), [])
    assert (part.phase, part.attempts, part.attempted_at, part.sid) == (Phase.SENT, 2, at(6), sid())
    assert failure_of(part) is None


def test_a_refused_part_gives_the_code_and_the_words_of_the_sender() -> None:
    part = settle_part(folded(REFUSED), [])
    assert part.state is State.FAILED
    assert failure_of(part) == Failure(kind="recipient", code=21614, reason="The number is not a mobile number.")


def test_a_part_that_waits_for_its_next_try_is_queued() -> None:
    part = settle_part(folded(RETRIED[:2]), [])
    assert part.state is State.QUEUED
    assert (failure_of(part) or Failure(kind="", code=0, reason="")).code == 20429


def test_the_answer_to_the_post_counts_as_a_status() -> None:
    assert settle_part(folded(RETRIED), []).status == "queued"


def test_a_failed_delivery_tells_its_code_and_where_it_is_explained() -> None:
    reports = [report_of(report("sent")), report_of(report("undelivered", second=9, error_code=30003))]
    part = settle_part(folded(RETRIED), reports)
    failure = failure_of(part)
    assert (part.state, part.error_code, part.status_at) == (State.UNDELIVERED, 30003, at(9))
    assert failure is not None
    assert "30003" in failure.reason
    assert failure.code == 30003


def test_a_delivered_part_keeps_no_error_code_of_a_contradicting_report() -> None:
    reports = [report_of(report("undelivered", error_code=30003)), report_of(report("delivered", second=9))]
    part = settle_part(folded(RETRIED), reports)
    assert (part.status, part.error_code, part.conflict) == ("delivered", None, "delivered,undelivered")


def test_an_unknown_status_leaves_the_part_as_it_is() -> None:
    part = folded(RETRIED)
    assert settle_part(part, [report_of(report("gone fishing"))]) == settle_part(part, [])


@pytest.mark.parametrize(
    ("changes", "concerned"),
    [
        ({}, True),
        ({"part_id": None}, True),
        ({"part_id": None, "sid": "SMother"}, False),
        ({"sid": "SMother"}, True),
        ({"sid": "SMother", "conversation": "d" * 32}, False),
        ({"channel": "other"}, False),
        ({"part_id": "part-9", "sid": "SMother"}, False),
    ],
    ids=["both", "sid", "neither", "id", "id of another person", "another channel", "another part"],
)
def test_a_report_is_about_a_part_by_sid_or_by_id_within_its_channel(
    changes: dict[str, str | None], concerned: bool
) -> None:
    event = msgspec.structs.replace(report("sent"), **changes)
    assert concerns(report_of(event), folded(RETRIED)) is concerned
