"""The store of messages."""

from parley_common.domain.segments import count_segments
from parley_simulator.messages import Direction, Message, message_sid
from parley_simulator.statuses import Status
from parley_simulator.store import MessageStore


def message(body: str = "x", *, to: str = "+12025550111", sender: str | None = "+15550100100") -> Message:
    return Message(
        sid=message_sid(has_media=False),
        direction=Direction.API,
        sender=sender,
        to=to,
        body=body,
        segments=count_segments(body),
        status=Status.QUEUED,
        created_at=0.0,
        updated_at=0.0,
    )


def filled(count: int, limit: int = 1_000) -> MessageStore:
    store = MessageStore(limit)
    for n in range(count):
        store.add(message(str(n), to=f"+1202555010{n % 2}"))
    return store


def test_sequences_grow_and_never_come_back() -> None:
    store = filled(3)
    assert [row.sequence for row in store.since(0)] == [1, 2, 3]
    store.clear()
    assert store.add(message()).sequence == 4
    assert [row.sequence for row in store.since(2)] == [4]


def test_since_gives_what_came_later_in_order() -> None:
    assert [row.body for row in filled(5).since(3)] == ["3", "4"]


def test_the_newest_come_first_by_either_number() -> None:
    store = filled(6)
    assert [row.body for row in store.newest_first()] == ["5", "4", "3", "2", "1", "0"]
    assert [row.body for row in store.newest_first(to="+12025550101")] == ["5", "3", "1"]
    assert [row.body for row in store.newest_first(to="+12025550101", below=6)] == ["3", "1"]
    assert list(store.newest_first(sender="+15550109999")) == []


def test_the_oldest_leave_and_the_newest_stay() -> None:
    store = filled(250, limit=100)
    bodies = [row.body for row in store.since(0)]
    assert 100 <= len(bodies) <= 110
    assert bodies[-1] == "249"
    assert bodies == [str(n) for n in range(250 - len(bodies), 250)]
    assert len(store) == len(bodies)
    kept = [row.body for row in store.newest_first(to="+12025550101")]
    assert kept == [body for body in bodies[::-1] if int(body) % 2]


def test_a_removed_message_is_found_nowhere() -> None:
    store = filled(4)
    gone = next(iter(store.since(1)))
    store.remove(gone)
    assert store.get(gone.sid) is None
    assert [row.body for row in store.since(0)] == ["0", "2", "3"]
    assert [row.body for row in store.newest_first(to=gone.to)] == ["3"]
    assert [row.body for row in store.newest_first()] == ["3", "2", "0"]


def test_a_thread_has_both_directions_oldest_first() -> None:
    store = MessageStore()
    store.add(message("to them", to="a", sender="us"))
    store.add(message("from them", to="us", sender="a"))
    store.add(message("somebody else", to="b", sender="us"))
    store.add(message("to them again", to="a", sender="us"))
    assert [row.body for row in store.thread("a", 10)] == ["to them", "from them", "to them again"]
    assert [row.body for row in store.thread("a", 2)] == ["from them", "to them again"]


def test_a_sender_picked_later_can_be_asked_for() -> None:
    store = MessageStore()
    accepted = store.add(message(sender=None))
    store.assign_sender(accepted, "+15550100101")
    assert [row.sid for row in store.newest_first(sender="+15550100101")] == [accepted.sid]
