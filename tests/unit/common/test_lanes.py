"""Lanes share nothing: each has a source, a chain and bells of its own."""

from __future__ import annotations

import itertools

import pytest

from parley_common import topology
from parley_common.lanes import LANES, Lane, find_lane, lane_of

every_lane = pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.durable)


def test_no_two_lanes_share_a_subject_or_a_consumer() -> None:
    for one, other in itertools.combinations(LANES, 2):
        names = [{lane.source("c"), lane.chain("c"), lane.every_source, lane.durable} for lane in (one, other)]
        assert not names[0] & names[1]
        assert all(len(of_lane) == 4 for of_lane in names)


@every_lane
def test_a_lane_is_found_by_its_source_and_by_nothing_else(lane: Lane) -> None:
    assert lane_of(lane.source("0abc")) is lane
    assert find_lane(lane.chain("0abc")) is None


@every_lane
def test_the_bells_of_a_lane_ring_for_its_source_and_for_no_chain(lane: Lane) -> None:
    (consumer,) = [one for one in topology.CONSUMERS if one.durable == lane.durable]
    assert consumer.subject == lane.every_source == lane.source("*")
    assert all(other.chain("*") != lane.every_source for other in LANES)


@pytest.mark.parametrize(
    "subject", [topology.texts("c"), topology.turn_begun("c"), "report.c.p", "dead.egress", ""]
)
def test_what_egress_does_not_send_from_has_no_lane(subject: str) -> None:
    assert find_lane(subject) is None
    with pytest.raises(ValueError, match="is not what egress sends from"):
        lane_of(subject)


def test_what_is_written_without_a_turn_has_a_lane() -> None:
    assert {lane_of(subject) for subject in topology.all_outbound("c")} == set(LANES[1:])
