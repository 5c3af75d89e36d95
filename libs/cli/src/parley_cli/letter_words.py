"""What is shown of dead letters: where and why, and of their messages never a text or a whole number. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parley_cli import words
from parley_cli.letters import Letter
from parley_common.bus import Stored
from parley_common.domain.redaction import redact_number, redact_text
from parley_common.events import AnyEvent, Event, Reply

_ADDRESSES = ("contact", "sender", "recipient", "scope")
_TEXTS = ("body", "reason", "profile_name")
_HIDDEN = ("media", "rest", "earlier", "tally")


def listed(letters: Sequence[Letter]) -> str:
    """Letters as a table."""
    if not letters:
        return "There are no dead letters."
    rows = [
        (
            one.id[:12],
            words.at(one.letter.at),
            one.letter.service,
            f"{one.letter.stream} {one.letter.sequence}",
            words.at(one.replayed_at) if one.replayed_at and not one.is_open else "open",
            redact_text(one.letter.reason),
        )
        for one in letters
    ]
    return words.printable(words.table(("ID", "AT", "SERVICE", "MESSAGE", "REPLAYED", "REASON"), rows))


def shown(one: Letter, stored: Stored | None, event: AnyEvent | None) -> str:
    """A letter and what its message says about itself."""
    letter = one.letter
    lines = [
        ("letter", letter.id),
        ("written", words.at(letter.at)),
        ("by", letter.service),
        ("because", redact_text(letter.reason)),
        ("replayed", words.at(one.replayed_at) if one.replayed_at else "never"),
        ("message", f"{letter.stream} {letter.sequence}, {letter.subject}"),
    ]
    if stored is None:
        lines.append(("", "it is not in the stream any more"))
    else:
        lines += [("stored", f"{words.at(stored.time)}, {len(stored.data)} bytes")]
        lines += [("", "this release cannot read it")] if event is None else about(event)
    width = max(len(name) for name, _ in lines)
    return words.printable("\n".join(f"{name:<{width}}  {value}" for name, value in lines))


def about(event: Event) -> list[tuple[str, str]]:
    """The fields of an event, numbers with their middle hidden, texts as their length only."""
    fields = [("kind", type(event).__name__)]
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in _HIDDEN and value not in (None, "", ()):
            fields.append((name, _shown_value(name, value)))
    return fields


def _shown_value(name: str, value: Any) -> str:
    if name in _ADDRESSES:
        return redact_number(str(value))
    if name in _TEXTS:
        return words.counted(len(value), "character")
    if isinstance(value, tuple) and all(isinstance(part, Reply) for part in value):
        sizes = ", ".join(words.counted(len(part.text), "character") for part in value)
        return f"{words.counted(len(value), 'reply') if len(value) == 1 else f'{len(value)} replies'} ({sizes})"
    return redact_text(words.at(value) if hasattr(value, "astimezone") else str(value))
