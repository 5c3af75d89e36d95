"""Counts what a run came to, from the texts people wrote, the stream and Twilio's own list of messages. Pure.

A text is known by its mark. What is wrong is told as one sentence each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chaos.copies import attempts_at, is_residue
from chaos.stories import Story, marks_in
from parley_common.events import PartFailed, TurnOutcome


@dataclass(frozen=True, kw_only=True)
class Written:
    """A text as somebody wrote it. ``accepted_at``: when its webhook was first answered 200, None where never.

    ``why_not``: the last answer in words, where it was not accepted.
    """

    sid: str
    contact: str
    mark: int
    accepted_at: float | None
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message at Twilio, in the order of acceptance; ``at`` in seconds since the epoch."""

    contact: str
    body: str
    at: float


@dataclass(kw_only=True)
class Verdict:
    """The counts of a run, and a sentence for each thing that is wrong."""

    accepted: int = 0
    not_accepted: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    lost: int = 0
    twice: int = 0
    residue: int = 0
    out_of_order: int = 0
    overlapping: int = 0
    unanswered: int = 0
    given_up: Counter[str] = field(default_factory=Counter)
    worst_delay_s: float = 0.0
    complaints: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.twice or self.out_of_order or self.overlapping or self.unanswered)


def judge(written: Sequence[Written], stories: Sequence[Story], sent: Sequence[Sent], settle_s: float) -> Verdict:
    """The verdict over a run that has come to rest."""
    verdict = Verdict(accepted=sum(text.accepted_at is not None for text in written))
    verdict.not_accepted.update(text.why_not for text in written if text.accepted_at is None)
    phones: dict[str, list[Sent]] = defaultdict(list)
    for message in sent:
        phones[message.contact].append(message)
    accepted_at = {text.mark: text.accepted_at for text in written if text.accepted_at is not None}
    _count_lost(verdict, written, stories)
    for story in stories:
        phone = phones.pop(story.contact, [])
        _count_turns(verdict, story)
        _count_answers(verdict, story, phone, accepted_at)
        _count_order(verdict, story, phone)
        _count_copies(verdict, story, phone, settle_s)
    for contact, messages in phones.items():
        verdict.twice += len(messages)
        verdict.complaints.append(f"…{contact[-4:]}: {len(messages)} texts to somebody of whom nothing is stored")
    return verdict


def explained(written: Sequence[Written], stories: Sequence[Story], sent: Sequence[Sent]) -> bool:
    """Whether nothing more is to be expected: each text is stored, and answered or given up for good."""
    stored = {text.sid for story in stories for text in story.texts}
    if any(text.accepted_at is not None and text.sid not in stored for text in written):
        return False
    said = {mark for message in sent for mark in marks_in(message.body)}
    over = said | {mark for story in stories for mark in _given_up(story)}
    return all(text.mark in over for story in stories for text in story.texts)


def _count_lost(verdict: Verdict, written: Sequence[Written], stories: Sequence[Story]) -> None:
    stored = {text.sid for story in stories for text in story.texts}
    for text in written:
        if text.accepted_at is not None and text.sid not in stored:
            verdict.lost += 1
            verdict.complaints.append(f"…{text.contact[-4:]} t{text.mark}: answered 200 and not in the stream")


def _count_turns(verdict: Verdict, story: Story) -> None:
    """Ranges must join: each turn starts after the one before, and every text is in exactly one."""
    upto, taken = 0, Counter[int]()
    for turn in story.turns:
        first, last = turn.event.first, turn.event.upto
        taken.update(text.seq for text in story.texts if turn.has(text))
        if first <= upto or last < first:
            verdict.overlapping += 1
            verdict.complaints.append(f"…{story.contact[-4:]}: a turn {first}..{last} after one up to {upto}")
        upto = max(upto, last)
    for text in story.texts:
        if taken[text.seq] > 1:
            verdict.overlapping += 1
            verdict.complaints.append(f"…{story.contact[-4:]} t{text.mark}: in {taken[text.seq]} turns")


def _count_answers(
    verdict: Verdict, story: Story, phone: Sequence[Sent], accepted_at: Mapping[int, float]
) -> None:
    first_at: dict[int, float] = {}
    for message in phone:
        for mark in marks_in(message.body):
            first_at.setdefault(mark, message.at)
    given_up, outcomes = _given_up(story), _outcomes(story)
    for text in story.texts:
        if text.mark in first_at:
            verdict.answered += 1
            since = accepted_at.get(text.mark, text.at.timestamp())
            verdict.worst_delay_s = max(verdict.worst_delay_s, first_at[text.mark] - since)
        elif text.mark in given_up:
            verdict.given_up[given_up[text.mark]] += 1
        else:
            verdict.unanswered += 1
            turn = outcomes.get(text.seq)
            verdict.complaints.append(
                f"…{story.contact[-4:]} t{text.mark} (sequence {text.seq}): unanswered, "
                f"{f'its turn ended as {turn}' if turn else 'no turn took it'}"
            )


def _count_order(verdict: Verdict, story: Story, phone: Sequence[Sent]) -> None:
    """First copies only: a second copy is counted as one, not as disorder."""
    order = list(dict.fromkeys(mark for message in phone for mark in marks_in(message.body)))
    place = {text.mark: n for n, text in enumerate(story.texts)}
    highest = -1
    for mark in order:
        if mark not in place:
            verdict.complaints.append(f"…{story.contact[-4:]} t{mark}: answered and not in the stream")
            verdict.out_of_order += 1
        elif place[mark] < highest:
            verdict.complaints.append(f"…{story.contact[-4:]} t{mark}: answered after a later text")
            verdict.out_of_order += 1
        else:
            highest = place[mark]


def _count_copies(verdict: Verdict, story: Story, phone: Sequence[Sent], settle_s: float) -> None:
    copies: dict[int, list[float]] = defaultdict(list)
    for message in phone:
        for mark in marks_in(message.body):
            copies[mark].append(message.at)
    for mark, times in copies.items():
        if len(times) < 2:
            continue
        attempts = attempts_at(story, mark)
        late = is_residue(times, attempts, settle_s)
        verdict.residue += late
        verdict.twice += not late
        told = ", ".join(f"{time - times[0]:+.1f} s" for time in times)
        tried = ", ".join(f"{time - times[0]:+.1f} s" for time in attempts)
        verdict.complaints.append(
            f"…{story.contact[-4:]} t{mark}: {len(times)} copies at {told}, attempts stored at {tried}"
            f"{': the residue' if late else ''}"
        )


def _given_up(story: Story) -> dict[int, str]:
    """The marks of turns of which a part failed for good, with the class of the failure."""
    failures = {
        send.event.slot.turn: send.event.failure.value
        for send in story.sends
        if isinstance(send.event, PartFailed) and send.event.final
    }
    return {
        text.mark: failures[turn.seq]
        for turn in story.turns
        if turn.seq in failures
        for text in story.texts
        if turn.has(text)
    }


def _outcomes(story: Story) -> dict[int, TurnOutcome]:
    return {text.seq: turn.event.outcome for turn in story.turns for text in story.texts if turn.has(text)}
