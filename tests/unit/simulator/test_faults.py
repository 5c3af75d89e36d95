"""The script of faults."""

import msgspec
import pytest

from parley_simulator.faults import PLACES, Fault, FaultScript, Match, Place, Rule, Subject


def script(*rules: Rule) -> FaultScript:
    faults = FaultScript()
    for rule in rules:
        faults.add(rule)
    return faults


def test_a_rule_strikes_as_often_as_it_says() -> None:
    faults = script(Rule(where=Place.CREATE, what=Fault.STATUS, times=2))
    assert [len(faults.draw(Place.CREATE, Subject())) for _ in range(4)] == [1, 1, 0, 0]
    assert [(active.fired, active.left) for active in faults] == [(2, 0)]


def test_a_rule_rests_at_other_places_and_for_other_faults() -> None:
    faults = script(Rule(where=Place.CALLBACK, what=Fault.DELAY, times=1))
    assert faults.draw(Place.CREATE, Subject()) == []
    assert faults.draw(Place.CALLBACK, Subject(), {Fault.DROP_CALLBACK}) == []
    assert len(faults.draw(Place.CALLBACK, Subject(), {Fault.DELAY})) == 1


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        pytest.param(Match(), True, id="everything"),
        pytest.param(Match(to="a", sender="b", body_contains="ell", status="sent"), True, id="all fields"),
        pytest.param(Match(to="b"), False, id="another recipient"),
        pytest.param(Match(sender="a"), False, id="another sender"),
        pytest.param(Match(body_contains="bye"), False, id="another body"),
        pytest.param(Match(status="delivered"), False, id="another status"),
    ],
)
def test_a_match_needs_every_field_it_names(match: Match, expected: bool) -> None:
    assert match.covers(Subject(to="a", sender="b", body="hello", status="sent")) is expected


def test_a_rule_of_half_probability_strikes_about_half_the_time() -> None:
    faults = script(Rule(where=Place.CREATE, what=Fault.STATUS, probability=0.5, seed=3))
    struck = sum(len(faults.draw(Place.CREATE, Subject())) for _ in range(1_000))
    assert 430 < struck < 570


def test_every_fault_has_a_place_and_a_misplaced_one_is_named() -> None:
    assert set(PLACES) == set(Fault)
    assert Rule(where=Place.CREATE, what=Fault.STATUS).misplaced() is None
    words = Rule(where=Place.MEDIA, what=Fault.NEVER_FINAL).misplaced()
    assert words == "never_final happens at create, not at media"


def test_the_match_is_written_with_from() -> None:
    rule = msgspec.json.decode(b'{"where":"create","what":"status","match":{"from":"+1"}}', type=Rule)
    assert rule.match == Match(sender="+1")
