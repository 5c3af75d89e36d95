"""What a model wrote becomes what a person reads. Pure."""

from __future__ import annotations

import re

_BEFORE = r"(?:\A|(?<=[\n.!?…:]))[ \t]*"
_THOUGHT = re.compile(r"<(think|thinking)>.*?</\1>", re.DOTALL | re.I)
_ENDLESS = re.compile(rf"{_BEFORE}<(?:think|thinking)>.*\Z", re.DOTALL | re.I)
_HEADLESS = re.compile(
    rf"\A.*(?:{_BEFORE}</(?:think|thinking)>|</(?:think|thinking)>[ \t]*(?:\n|\Z))", re.DOTALL | re.I
)
_CALL = re.compile(r"<tool_call>\s*[{<]|\[TOOL_CALLS\]\s*[\[{]|<\|python_tag\|>|<function=\w+>")
_ENDS = (".", "!", "?", "…", ")", '"', "”", "»", "。", "！", "？")


def spoken(text: str) -> str:
    """The answer without what local models think aloud, also where one of the two tags went missing.

    A single tag counts where a thought would begin or end; in the middle of a sentence it is a word like others.
    """
    return _ENDLESS.sub("", _HEADLESS.sub("", _THOUGHT.sub("", text))).strip()


def texts_a_call(text: str) -> bool:
    """Whether a model wrote a call of a tool as text: its server should have made a call of it."""
    return _CALL.search(text) is not None


def trailing_off(text: str) -> str:
    """An answer that was cut off: the last whole word, and an ellipsis."""
    if text.endswith(_ENDS):
        return text
    whole = text.rpartition(" ")[0] if " " in text[-40:] else text
    return f"{whole.rstrip(' ,;:–-')}…"
