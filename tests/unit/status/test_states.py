"""A part's state follows from its last event and Twilio's status, a message's from its parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.events import TurnOutcome
from parley_status.delivery import RANKS
from parley_status.states import BROKEN, Phase, State, inbound_state, message_state, part_state

INBOUND = (State.RECEIVED, State.HANDLED, State.UNANSWERED)
outbound_states = st.sampled_from([state for state in State if state not in INBOUND])


@pytest.mark.parametrize(
    ("phase", "status", "state"),
    [
        (Phase.WAITING, None, State.QUEUED),
        (Phase.ATTEMPTED, None, State.SENDING),
        (Phase.FAILED, None, State.FAILED),
        (Phase.SENT, None, State.SENDING),
        (Phase.SENT, "queued", State.SENDING),
        (Phase.SENT, "sent", State.SENT),
        (Phase.SENT, "delivered", State.DELIVERED),
        (Phase.SENT, "undelivered", State.UNDELIVERED),
        (Phase.ATTEMPTED, "delivered", State.DELIVERED),
        (Phase.FAILED, "delivered", State.DELIVERED),
    ],
)
def test_what_twilio_says_outweighs_what_the_sender_knew(phase: Phase, status: str | None, state: State) -> None:
    assert part_state(phase, status) is state


@pytest.mark.parametrize("status", sorted(RANKS))
def test_every_status_of_the_delivery_table_has_a_state(status: str) -> None:
    assert part_state(Phase.SENT, status) in State


def test_a_status_outside_the_table_is_refused() -> None:
    with pytest.raises(KeyError, match="gone fishing"):
        part_state(Phase.SENT, "gone fishing")


@pytest.mark.parametrize(
    ("parts", "of", "state"),
    [
        ([], 1, State.QUEUED),
        ([State.QUEUED], 1, State.QUEUED),
        ([State.SENDING], 1, State.SENDING),
        ([State.SENT], 1, State.SENT),
        ([State.SENT], 2, State.SENDING),
        ([State.DELIVERED, State.QUEUED], 2, State.SENDING),
        ([State.DELIVERED, State.SENT], 2, State.SENT),
        ([State.DELIVERED, State.DELIVERED], 2, State.DELIVERED),
        ([State.READ, State.DELIVERED], 2, State.DELIVERED),
        ([State.READ, State.READ], 2, State.READ),
        ([State.DELIVERED, State.FAILED], 3, State.FAILED),
        ([State.UNDELIVERED, State.SENT], 2, State.UNDELIVERED),
        ([State.CANCELED, State.UNDELIVERED], 2, State.UNDELIVERED),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
def test_a_message_is_as_far_as_its_slowest_part(parts: list[State], of: int, state: State) -> None:
    assert message_state(parts, of) is state


@given(st.lists(outbound_states, max_size=5), st.randoms())
def test_the_order_of_the_parts_does_not_matter(parts: list[State], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert message_state(shuffled, 5) is message_state(parts, 5)


@given(st.lists(outbound_states, min_size=1, max_size=5))
def test_one_broken_part_breaks_the_message(parts: list[State]) -> None:
    assert (message_state(parts, len(parts)) in BROKEN) == any(part in BROKEN for part in parts)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (TurnOutcome.ANSWERED, State.HANDLED),
        (TurnOutcome.ECHO, State.HANDLED),
        (TurnOutcome.KEYWORD, State.HANDLED),
        (TurnOutcome.NOT_ALLOWED, State.HANDLED),
        (TurnOutcome.OPTED_OUT, State.HANDLED),
        (TurnOutcome.LATE, State.UNANSWERED),
        (TurnOutcome.CAPPED, State.UNANSWERED),
        (TurnOutcome.LOOP, State.UNANSWERED),
        (TurnOutcome.FAILED, State.UNANSWERED),
        (TurnOutcome.UNREADABLE, State.UNANSWERED),
    ],
)
def test_a_text_whose_writer_waits_for_an_answer_is_unanswered(outcome: TurnOutcome, state: State) -> None:
    assert inbound_state(outcome) is state


@pytest.mark.parametrize("outcome", list(TurnOutcome))
def test_every_outcome_ends_the_waiting_for_a_turn(outcome: TurnOutcome) -> None:
    assert inbound_state(outcome) in INBOUND
    assert inbound_state(outcome) is not State.RECEIVED


def test_a_text_without_a_turn_was_received() -> None:
    assert inbound_state(None) is State.RECEIVED
