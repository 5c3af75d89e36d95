"""What a command wants to know, found in what a person wrote. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from parley_brains.scripted.memory import next_question
from parley_brains.scripted.script import Command
from parley_brains.scripted.words import find_value


def gathered(command: Command, values: Mapping[str, str], text: str) -> dict[str, str]:
    """The answers so far, with those that a text gives to the questions that are left.

    A question that takes anything is answered only where it is to be asked next, and by a text that answers no
    other: the words around an order number are no address.
    """
    found = dict(values)
    for question in command.questions:
        if question.slot in found or not question.pattern:
            continue
        taken = find_value(text, question.pattern)
        if taken is not None:
            found[question.slot], text = taken
    left = next_question(command, found)
    if len(found) == len(values) and left is not None and not left.pattern:
        taken = find_value(text, "")
        if taken is not None:
            found[left.slot] = taken[0]
    return found
