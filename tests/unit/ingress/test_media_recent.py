"""Files that were just served: as many as fit into so many bytes, and none for longer than a minute."""

from __future__ import annotations

from parley_common.media_store import Medium
from parley_ingress.media_recent import Recent


def medium(size: int) -> Medium:
    return Medium(data=bytes(size), content_type="image/png")


def test_a_file_that_was_read_is_known_for_a_minute() -> None:
    now = [0.0]
    recent = Recent(clock=lambda: now[0])
    assert recent.get("a") is None
    recent.put("a", medium(1))
    now[0] = 59.0
    assert recent.get("a") == medium(1)
    now[0] = 60.0
    assert recent.get("a") is None


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    recent = Recent(most_bytes=100)
    for name in ("a", "b"):
        recent.put(name, medium(50))
    recent.get("a")
    recent.put("c", medium(50))
    assert [recent.get(name) is not None for name in ("a", "b", "c")] == [True, False, True]


def test_a_file_that_is_read_again_is_counted_once() -> None:
    recent = Recent(most_bytes=100)
    for _ in range(5):
        recent.put("a", medium(50))
    recent.put("b", medium(50))
    assert [recent.get(name) is not None for name in ("a", "b")] == [True, True]


def test_what_is_larger_than_all_the_room_is_not_remembered() -> None:
    recent = Recent(most_bytes=100)
    recent.put("a", medium(101))
    assert recent.get("a") is None
    recent.put("b", medium(100))
    assert recent.get("b") is not None
