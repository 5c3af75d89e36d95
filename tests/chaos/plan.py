"""What happens in a run: who is hurt how and when, what Twilio does wrong how often, who texts when.

Pure: the same seed, broker and size give the same plan on every machine.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from parley_simulator.faults import Fault, Place, Rule

BrokerKind = Literal["single", "cluster"]
Way = Literal["kill", "stop"]

SERVICES = (
    *("ingress", "ingress-2"),
    *("agent", "agent-2", "agent-3"),
    *("egress", "egress-2", "egress-3"),
    "status",
)
BROKERS: dict[BrokerKind, tuple[str, ...]] = {"single": ("nats-1",), "cluster": ("nats-1", "nats-2", "nats-3")}

CLIENT_TIMEOUT_S = 2.0
"""The time limit of one request to Twilio; a silent Twilio says nothing for longer."""

_TEXTS_EACH = 12
_PEOPLE_PER_S = 5.0
_HURT_EVERY_S = 2.5
_BROKER_SHARE = 0.3
_UNHURT_S = 2.0
_MOST_STOP_SHARE = 0.25
_STORM_S = (2.0, 5.0)
_BURST_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a run is. ``seconds``: how long is hurt; ``most_stop_s``: the longest freeze."""

    seconds: float
    people: int
    texts_each: int
    most_stop_s: float

    @staticmethod
    def of(seconds: float) -> Size:
        """The size that fits so many seconds."""
        most_stop_s = min(90.0, max(1.0, seconds * _MOST_STOP_SHARE))
        people = max(10, round(seconds * _PEOPLE_PER_S))
        return Size(seconds=seconds, people=people, texts_each=_TEXTS_EACH, most_stop_s=most_stop_s)


@dataclass(frozen=True, kw_only=True, order=True)
class Hurt:
    """A process is killed and started again, or frozen and let go, ``for_s`` seconds later."""

    at_s: float
    who: str
    way: Way
    for_s: float


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault of the simulator, in force from ``at_s`` on for ``for_s`` seconds."""

    at_s: float
    for_s: float
    rule: Rule


@dataclass(frozen=True, kw_only=True, order=True)
class Texting:
    """A person texts ``mark``. ``person`` counts from 0."""

    at_s: float
    person: int
    mark: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run."""

    seed: int
    broker: BrokerKind
    size: Size
    hurts: tuple[Hurt, ...]
    troubles: tuple[Trouble, ...]
    texts: tuple[Texting, ...]


def make_plan(seed: int, broker: BrokerKind, size: Size) -> Plan:
    """The plan of a seed. Each part has dice of its own, so that one may change and the others stay."""
    return Plan(
        seed=seed,
        broker=broker,
        size=size,
        hurts=tuple(sorted(_hurts(_dice(seed, broker), broker, size))),
        troubles=(*_steady(_dice(seed, "steady"), size), *_storms(_dice(seed, "storms"), size)),
        texts=tuple(sorted(_texts(_dice(seed, "texts"), size))),
    )


def mark_of(person: int, number: int, texts_each: int) -> int:
    """The mark of a person's text: no other text of the run has it."""
    return person * texts_each + number


def _dice(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed} {what}")


def _hurts(dice: random.Random, broker: BrokerKind, size: Size) -> Iterator[Hurt]:
    """Brokers are hurt one at a time, which is what three replicas are for, and in both ways by turns.

    Services are hurt as chance has it.
    """
    brokers = BROKERS[broker]
    free_at_s = dict.fromkeys((*SERVICES, *brokers), 0.0)
    count = max(3, round(size.seconds / _HURT_EVERY_S))
    ways: Iterator[Way] = itertools.cycle(("kill", "stop"))
    first_s, last_s = min(_UNHURT_S, size.seconds / 10), size.seconds * 0.9
    for at_s in sorted(dice.uniform(first_s, last_s) for _ in range(count)):
        who = dice.choice(brokers if dice.random() < _BROKER_SHARE else SERVICES)
        way: Way = "kill" if dice.random() < 0.5 else "stop"
        if who in brokers:
            way = next(ways)
        for_s = dice.uniform(0.1, 4.0) if way == "kill" else dice.uniform(1.0, size.most_stop_s)
        for_s = min(for_s, size.seconds - at_s)
        together = brokers if who in brokers else (who,)
        if all(at_s >= free_at_s[one] for one in together):
            for one in together:
                free_at_s[one] = at_s + for_s + 1.0
            yield Hurt(at_s=round(at_s, 2), who=who, way=way, for_s=round(for_s, 2))


def _steady(dice: random.Random, size: Size) -> Iterator[Trouble]:
    """What goes wrong at a low rate all the time."""
    for rule, most in _CATALOGUE:
        rate = round(dice.uniform(most / 4, most), 4)
        known = Rule(
            where=rule.where,
            what=rule.what,
            probability=rate,
            seed=dice.randrange(1_000_000),
            status=rule.status,
            code=rule.code,
            delay_s=rule.delay_s,
        )
        yield Trouble(at_s=0.0, for_s=size.seconds, rule=known)


def _storms(dice: random.Random, size: Size) -> Iterator[Trouble]:
    """Twilio refuses everything for a few seconds, once a minute or so."""
    for _ in range(max(1, round(size.seconds / 60.0))):
        what = dice.choice((Fault.STATUS, Fault.HTML_429, Fault.RESET_AFTER_CREATE))
        at_s = round(dice.uniform(0.2, 0.8) * size.seconds, 2)
        yield Trouble(at_s=at_s, for_s=round(dice.uniform(*_STORM_S), 2), rule=Rule(where=Place.CREATE, what=what))


def _texts(dice: random.Random, size: Size) -> Iterator[Texting]:
    """Everybody texts all the time; every fifth text comes right after the one before, as a burst."""
    for person in range(size.people):
        times = sorted(dice.uniform(0.0, size.seconds * 0.95) for _ in range(size.texts_each))
        before_s = 0.0
        for number, at_s in enumerate(times):
            follows = number > 0 and dice.random() < 0.2
            before_s = before_s + _BURST_S if follows else max(at_s, before_s + _BURST_S)
            mark = mark_of(person, number, size.texts_each)
            yield Texting(at_s=round(before_s, 3), person=person, mark=mark)


_SILENCE_S = CLIENT_TIMEOUT_S + 1.0
_CATALOGUE: tuple[tuple[Rule, float], ...] = (
    (Rule(where=Place.CREATE, what=Fault.RESET_AFTER_CREATE), 0.03),
    (Rule(where=Place.CREATE, what=Fault.TIMEOUT_AFTER_CREATE, delay_s=_SILENCE_S), 0.02),
    (Rule(where=Place.CREATE, what=Fault.STATUS_AFTER_CREATE, status=500), 0.02),
    (Rule(where=Place.CREATE, what=Fault.RESET_BEFORE), 0.01),
    (Rule(where=Place.CREATE, what=Fault.STATUS, status=503), 0.02),
    (Rule(where=Place.CREATE, what=Fault.STATUS, status=429, code=20429), 0.04),
    (Rule(where=Place.CREATE, what=Fault.HTML_429), 0.02),
    (Rule(where=Place.CREATE, what=Fault.DELAY, delay_s=1.0), 0.04),
    (Rule(where=Place.CREATE, what=Fault.CALLBACK_BEFORE_RESPONSE), 0.1),
    (Rule(where=Place.FETCH, what=Fault.STATUS, status=503), 0.1),
    (Rule(where=Place.CALLBACK, what=Fault.DROP_CALLBACK), 0.2),
    (Rule(where=Place.CALLBACK, what=Fault.DUPLICATE_CALLBACKS), 0.1),
    (Rule(where=Place.CALLBACK, what=Fault.REORDER_CALLBACKS), 0.1),
    (Rule(where=Place.CALLBACK, what=Fault.DELAY, delay_s=3.0), 0.1),
    (Rule(where=Place.CALLBACK, what=Fault.LOST_ANSWER), 0.05),
    (Rule(where=Place.WEBHOOK, what=Fault.DUPLICATE_WEBHOOK), 0.1),
    (Rule(where=Place.WEBHOOK, what=Fault.LOST_ANSWER), 0.05),
    (Rule(where=Place.WEBHOOK, what=Fault.DELAY, delay_s=0.5), 0.1),
)
"""What goes wrong all the time, and the highest rate at which it does."""
