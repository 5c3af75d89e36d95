"""Parts: where each stands, what it carries, and that its id never changes."""

from __future__ import annotations

import pytest

from parley_common.events import Media, Reply, Slot
from parley_egress.parts import Origin, first_part, following_part, same_part
from unit.egress.samples import NOON, PERSON, PICTURE, attempted, stored_turn, turn_done

OTHER = Media(url="https://media.example/2.jpg", content_type="image/jpeg")

TURN = stored_turn(Reply(id="reply-1", text="one"), Reply(id="reply-2", text="two", media=(PICTURE,)))
BODIES = ("(1/3) a", "(2/3) b", "(3/3) c")


def test_the_first_part_carries_the_rest_with_it() -> None:
    part = first_part(TURN, 1, BODIES)
    assert (part.slot, part.of) == (Slot(turn=7, message=1, part=0), 3)
    assert (part.body, part.rest, part.attempts) == (BODIES[0], BODIES[1:], 0)
    assert part.message_id == "reply-2"


def test_the_same_part_again_is_as_it_was_attempted() -> None:
    attempt = attempted(slot=Slot(turn=7, message=1, part=1), of=3, body="(2/3) b", rest=("(3/3) c",), attempt=2)
    part = same_part(TURN, attempt)
    assert (part.slot, part.of, part.body, part.rest) == (attempt.slot, 3, "(2/3) b", ("(3/3) c",))
    assert part.attempts == 2


def test_the_following_part_comes_from_the_attempt_before_it() -> None:
    """Not from the turn: another release may split that in another way."""
    attempt = attempted(slot=Slot(turn=7, message=1, part=0), of=3, body="X", rest=("Y", "Z"), attempt=4)
    part = following_part(TURN, attempt)
    assert (part.slot, part.of) == (Slot(turn=7, message=1, part=1), 3)
    assert (part.body, part.rest, part.attempts) == ("Y", ("Z",), 0)


def test_following_parts_lead_to_the_last_one() -> None:
    first = first_part(TURN, 1, BODIES)
    second = following_part(TURN, attempted(slot=first.slot, of=3, body=first.body, rest=first.rest))
    third = following_part(TURN, attempted(slot=second.slot, of=3, body=second.body, rest=second.rest))
    assert (second.body, third.body, third.rest) == ("(2/3) b", "(3/3) c", ())
    assert third.slot.part + 1 == third.of


def test_a_part_keeps_its_id_over_attempts_and_workers() -> None:
    first = first_part(TURN, 1, BODIES)
    again = same_part(TURN, attempted(slot=first.slot, of=3, body="other words", attempt=9, worker="another"))
    assert again.part_id == first.part_id


def test_no_two_parts_of_a_turn_share_an_id() -> None:
    ids = [
        same_part(TURN, attempted(slot=Slot(turn=7, message=message, part=part))).part_id
        for message in range(2)
        for part in range(3)
    ]
    assert len(set(ids)) == 6


@pytest.mark.parametrize(
    ("message", "part", "media"),
    [
        pytest.param(1, 0, (PICTURE,), id="the first part"),
        pytest.param(1, 1, (), id="the second part"),
        pytest.param(1, 2, (), id="the last part"),
        pytest.param(0, 0, (), id="the first part of a reply without media"),
    ],
)
def test_media_go_with_the_first_part_only(message: int, part: int, media: tuple[object, ...]) -> None:
    attempt = attempted(slot=Slot(turn=7, message=message, part=part), of=3)
    assert same_part(TURN, attempt).media == media


def test_to_whatsapp_each_part_carries_one_attachment() -> None:
    reply = Reply(id="reply-1", text="two", media=(PICTURE, OTHER))
    event = turn_done(messages=(reply,), contact="whatsapp:" + PERSON)
    origin = Origin(subject="conv.c.own.done", seq=7, event=event, headers={}, stored_at=NOON)
    first = first_part(origin, 0, ("two", ""))
    second = following_part(origin, attempted(slot=first.slot, of=2, body=first.body, rest=first.rest))
    assert (first.body, first.media) == ("two", (PICTURE,))
    assert (second.body, second.media) == ("", (OTHER,))
