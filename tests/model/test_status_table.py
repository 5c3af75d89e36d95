"""The events of a part may come in any order, late and twice: they leave one row, which only moves forward."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.status.rows import all_rows, empty, fold_all
from parley_common.events import DeliveryReport, Event, FailureClass, PartAttempted, PartFailed, PartSent
from parley_status.database import Database
from parley_status.delivery import FINAL_RANK, RANKS
from parley_status.parts import Part, Report, concerns, fold_part, report_of, settle_part
from parley_status.projection import Recorded
from parley_status.settings import read_settings
from parley_status.states import BROKEN, State
from unit.status.samples import attempted, done, failed, report, sent

pytestmark = pytest.mark.anyio

WORDS = ("queued", "sent", "delivered", "undelivered", "failed", "read")
_THROTTLED: dict[str, Any] = {"final": False, "failure": FailureClass.THROTTLED, "code": 20429}


def chain(*chosen: Event) -> list[Recorded]:
    """These send events as the stream holds them."""
    return [Recorded(40 + place, event) for place, event in enumerate(chosen)]  # type: ignore[arg-type]


def reports(*words: str, by_id: bool = True, by_sid: bool = True) -> list[Recorded]:
    """Status callbacks that name the part by its id, by its SID or by both."""
    changes: dict[str, Any] = {} if by_id else {"part_id": None}
    if not by_sid:
        changes = {"sid": "SM" + "e" * 32}
    return [Recorded(90 + n, report(word, second=5 + n, **changes)) for n, word in enumerate(words)]


SENT = chain(attempted(), failed(**_THROTTLED), attempted(attempt=2, second=5), sent(second=6))
REFUSED = chain(attempted(), failed())
STORIES = {
    "delivered": SENT + reports("queued", "sent", "delivered"),
    "known by the SID alone": SENT[2:] + reports("sent", "delivered", "read", by_id=False),
    "known by the id alone": SENT[:3] + reports("queued", "undelivered", by_sid=False),
    "contradicted": SENT[2:] + reports("delivered", "undelivered", "failed"),
    "refused": REFUSED + reports("sent", by_id=False),
}


class Fold:
    """What the projection does for one part, with its pure rules alone: ``row`` after all that has come."""

    def __init__(self) -> None:
        self.row: Part | None = None
        self._reports: dict[str, Report] = {}

    def add(self, recorded: Recorded) -> None:
        """One more event."""
        event = recorded.event
        if isinstance(event, DeliveryReport):
            self._reports.setdefault(event.id, report_of(event))
        elif isinstance(event, PartAttempted | PartSent | PartFailed):
            self.row = fold_part(self.row, recorded.sequence, event)
        if self.row is not None:
            row = self.row
            self.row = settle_part(row, [one for one in self._reports.values() if concerns(one, row)])


def folded(batch: Sequence[Recorded]) -> Part:
    """The row that these leave."""
    fold = Fold()
    for recorded in batch:
        fold.add(recorded)
    assert fold.row is not None
    return fold.row


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_every_order_leaves_the_same_row(story: list[Recorded]) -> None:
    expected = folded(story)
    for order in permutations(story):
        assert folded(order) == expected, [type(one.event).__name__ for one in order]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(data=st.data(), words=st.lists(st.sampled_from(WORDS), max_size=6), by_id=st.booleans())
def test_any_words_twice_and_late_leave_the_same_row(data: st.DataObject, words: list[str], by_id: bool) -> None:
    story = SENT + reports(*words, by_id=by_id)
    late = data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story), max_size=6))))
    assert folded(late) == folded(story)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(order=st.permutations(SENT + reports(*WORDS)))
def test_what_twilio_reports_only_moves_forward(order: list[Recorded]) -> None:
    fold, before = Fold(), -1
    for recorded in order:
        fold.add(recorded)
        if fold.row is not None and fold.row.status is not None:
            rank = RANKS[fold.row.status]
            assert rank >= before
            before = rank


@pytest.mark.parametrize("finals", [*permutations(("delivered", "undelivered", "failed"), 2)])
def test_finals_that_contradict_are_a_conflict_in_any_order(finals: tuple[str, str]) -> None:
    assert all(RANKS[word] == FINAL_RANK for word in finals)
    for order in permutations(SENT[2:] + reports("sent", *finals)):
        row = folded(order)
        assert row.conflict == ",".join(sorted(finals))
        assert (row.status == "delivered") is ("delivered" in finals)


def test_a_receipt_outweighs_what_broke_and_a_refused_part_stays_broken() -> None:
    assert folded(STORIES["contradicted"]).state is State.DELIVERED
    assert folded(REFUSED).state in BROKEN


@pytest.fixture(scope="module")
async def database(anyio_backend: str) -> AsyncIterator[Database]:
    """One SQLite file for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        at = read_settings({"PARLEY_API_KEY": "unused", "PARLEY_DATA_DIR": str(Path(folder))})
        opened = Database(at.database_url)
        await opened.migrate()
        yield opened
        opened.close()


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
async def test_whatever_the_batches_the_database_holds_the_same(database: Database, story: list[Recorded]) -> None:
    whole = [Recorded(30, done(10, 11)), *story]
    await empty(database)
    await fold_all(database, whole)
    expected = await all_rows(database)
    [row] = [msgspec.structs.astuple(folded(story))[:1]]
    assert row[0] in {part[0] for part in expected["parts"]}
    for size in (1, 2, 3, 5):
        for turned in (whole, whole[::-1], whole[1::2] + whole[::2]):
            await empty(database)
            for cut in range(0, len(turned), size):
                await fold_all(database, turned[cut : cut + size])
                if size > 1:  # the whole of it once more, as after a crash
                    await fold_all(database, turned[: cut + size])
            assert await all_rows(database) == expected, f"batches of {size}"
