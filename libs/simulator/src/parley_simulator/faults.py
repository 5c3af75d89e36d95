"""Scripted faults: rules that say what goes wrong, where, for which messages and how often.

Decides only; the places that ask (`rest`, `callbacks`, `webhooks`) make it go wrong.
"""

import random
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from parley_simulator.tuning import Seconds


class Place(StrEnum):
    """Where a rule listens."""

    CREATE = "create"
    FETCH = "fetch"
    MEDIA = "media"
    CALLBACK = "callback"
    WEBHOOK = "webhook"


class Fault(StrEnum):
    """What can go wrong."""

    STATUS = "status"
    HTML_429 = "429_html"
    DELAY = "delay"
    RESET_BEFORE = "reset_before"
    RESET_AFTER_CREATE = "reset_after_create"
    TIMEOUT_AFTER_CREATE = "timeout_after_create"
    STATUS_AFTER_CREATE = "status_after_create"
    CALLBACK_BEFORE_RESPONSE = "callback_before_response"
    ASYNC_ERROR = "async_error"
    NEVER_FINAL = "never_final"
    DROP_CALLBACK = "drop_callback"
    DUPLICATE_CALLBACKS = "duplicate_callbacks"
    REORDER_CALLBACKS = "reorder_callbacks"
    DROP_WEBHOOK = "drop_webhook"
    DUPLICATE_WEBHOOK = "duplicate_webhook"
    LOST_ANSWER = "lost_answer"
    MEDIA_404_FIRST = "media_404_first"


PLACES: dict[Fault, frozenset[Place]] = {
    Fault.STATUS: frozenset({Place.CREATE, Place.FETCH, Place.MEDIA}),
    Fault.HTML_429: frozenset({Place.CREATE, Place.FETCH}),
    Fault.DELAY: frozenset(Place),
    Fault.RESET_BEFORE: frozenset({Place.CREATE, Place.FETCH, Place.MEDIA}),
    Fault.RESET_AFTER_CREATE: frozenset({Place.CREATE}),
    Fault.TIMEOUT_AFTER_CREATE: frozenset({Place.CREATE}),
    Fault.STATUS_AFTER_CREATE: frozenset({Place.CREATE}),
    Fault.CALLBACK_BEFORE_RESPONSE: frozenset({Place.CREATE}),
    Fault.ASYNC_ERROR: frozenset({Place.CREATE}),
    Fault.NEVER_FINAL: frozenset({Place.CREATE}),
    Fault.DROP_CALLBACK: frozenset({Place.CALLBACK}),
    Fault.DUPLICATE_CALLBACKS: frozenset({Place.CALLBACK}),
    Fault.REORDER_CALLBACKS: frozenset({Place.CALLBACK}),
    Fault.DROP_WEBHOOK: frozenset({Place.WEBHOOK}),
    Fault.DUPLICATE_WEBHOOK: frozenset({Place.WEBHOOK}),
    Fault.LOST_ANSWER: frozenset({Place.WEBHOOK, Place.CALLBACK}),
    Fault.MEDIA_404_FIRST: frozenset({Place.MEDIA}),
}


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What a place knows of the message at hand."""

    to: str = ""
    sender: str = ""
    body: str = ""
    status: str = ""
    sid: str = ""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """Which messages a rule is about; an empty field matches all."""

    to: str = ""
    sender: str = ""
    body_contains: str = ""
    status: str = ""

    def covers(self, subject: Subject) -> bool:
        """Whether every named field fits."""
        return (
            self.to in {"", subject.to}
            and self.sender in {"", subject.sender}
            and self.status in {"", subject.status}
            and self.body_contains in subject.body
        )


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """One scripted fault; `times` none means for ever, `probability` is drawn from `seed`."""

    where: Place
    what: Fault
    match: Match = Match()
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    seed: int = 0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    code: int | None = None
    delay_s: Seconds | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1

    def misplaced(self) -> str | None:
        """Return a sentence when this fault cannot happen at this place."""
        places = PLACES[self.what]
        if self.where in places:
            return None
        return f"{self.what} happens at {', '.join(sorted(places))}, not at {self.where}"


class Active(msgspec.Struct):
    """A rule that is switched on."""

    id: str
    rule: Rule
    left: int | None
    fired: int = 0


class FaultScript:
    """The rules in force, in the order they were added."""

    def __init__(self) -> None:
        self._active: dict[str, Active] = {}
        self._dice: dict[str, random.Random] = {}
        self._count = 0
        self.on_strike: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[Active]:
        return iter(self._active.values())

    def add(self, rule: Rule) -> Active:
        """Switch a rule on."""
        self._count += 1
        active = Active(id=f"fault-{self._count}", rule=rule, left=rule.times)
        self._active[active.id] = active
        self._dice[active.id] = random.Random(rule.seed)  # noqa: S311 - repeatable on purpose
        return active

    def remove(self, fault_id: str) -> bool:
        """Switch one rule off."""
        self._dice.pop(fault_id, None)
        return self._active.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Switch all rules off."""
        self._active.clear()
        self._dice.clear()

    def draw(self, place: Place, subject: Subject, among: Collection[Fault] = PLACES) -> list[Rule]:
        """Return the rules that strike now, and count them; rules of faults not in `among` rest."""
        if not self._active:
            return []
        return [
            self._strike(active)
            for active in list(self._active.values())
            if active.rule.where is place
            and active.rule.what in among
            and active.rule.match.covers(subject)
            and (active.left is None or active.left > 0)
            and self._dice[active.id].random() < active.rule.probability
        ]

    def _strike(self, active: Active) -> Rule:
        active.fired += 1
        if active.left is not None:
            active.left -= 1
        self.on_strike()
        return active.rule


def find(rules: list[Rule], fault: Fault) -> Rule | None:
    """Return the first rule of this fault among those that strike."""
    return next((rule for rule in rules if rule.what is fault), None)
