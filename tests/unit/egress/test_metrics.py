"""The labels and times by which egress tells Prometheus what came of parts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from prometheus_client.samples import Sample

from parley_common.domain import twilio_codes
from parley_common.events import FailureClass, Reply, Slot
from parley_egress.metrics import count_failure, failure_code, note_reply
from parley_egress.outcome import _BY_CODE, InDoubt, NotSent, refused, unreachable
from parley_egress.parts import Part, first_part
from unit.egress.samples import NOON, stored_turn


def failed(outcome: object) -> str:
    assert isinstance(outcome, NotSent | InDoubt)
    return failure_code(outcome)


def test_the_codes_that_are_labels_are_those_of_the_table() -> None:
    assert set(_BY_CODE) == twilio_codes.KNOWN


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (refused(400, 21610), "21610"),
        (refused(429, 20429), "20429"),
        (refused(400, 21999), "other"),
        (refused(429, 1), "other"),
        (refused(503, None), "503"),
        (refused(500, 20500), "500"),
        (refused(429, None), "429"),
        (refused(599, None), "http"),
        (refused(307, None), "http"),
        (InDoubt(reason="ServerDisconnectedError"), "no_answer"),
        (unreachable("refused"), "unreachable"),
        (NotSent(failure=FailureClass.EXPIRED, final=True, reason="late"), "expired"),
    ],
    ids=str,
)
def test_a_failure_has_one_of_few_labels(outcome: object, code: str) -> None:
    assert failed(outcome) == code


@pytest.mark.parametrize("code", [*sorted(_BY_CODE)[:3], 77_777_777, -1])
def test_every_label_was_there_from_the_start(code: int) -> None:
    before = {sample.labels["code"] for sample in samples("parley_part_failures_total")}
    outcome = refused(400, code)
    assert isinstance(outcome, NotSent | InDoubt)
    count_failure(outcome)
    assert {sample.labels["code"] for sample in samples("parley_part_failures_total")} == before


def test_a_reply_is_measured_at_its_first_part_from_its_turns_end() -> None:
    count, total = told("count"), told("sum")
    note_reply(part(), NOON + timedelta(seconds=3))
    assert (told("count") - count, told("sum") - total) == (1, 3.0)


def test_a_clock_that_is_behind_the_brokers_makes_no_negative_time() -> None:
    total = told("sum")
    note_reply(part(), NOON - timedelta(seconds=3))
    assert told("sum") == total


def test_the_parts_after_the_first_are_not_measured() -> None:
    origin = stored_turn(Reply(id="reply-1", text="one two"), Reply(id="reply-2", text="three"))
    count = told("count")
    note_reply(Part(origin=origin, slot=Slot(turn=7, message=0, part=1), of=2, body="two", rest=()), NOON)
    note_reply(first_part(origin, 1, ("three",)), NOON)
    assert told("count") == count


def part() -> Part:
    return first_part(stored_turn(Reply(id="reply-1", text="hello")), 0, ("hello",))


def told(what: str) -> float:
    value = REGISTRY.get_sample_value(f"parley_reply_seconds_{what}")
    assert value is not None
    return value


def samples(name: str) -> list[Sample]:
    return [one for family in REGISTRY.collect() for one in family.samples if one.name == name]
