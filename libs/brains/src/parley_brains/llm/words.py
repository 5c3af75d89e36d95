"""What a model wrote becomes what a person reads. Pure."""

from __future__ import annotations

import re

_THOUGHT = re.compile(r"<(think|thinking)>.*?(?:</\1>|\Z)", re.DOTALL | re.I)
_HEADLESS = re.compile(r"\A.*</(?:think|thinking)>", re.DOTALL | re.I)
_ENDS = (".", "!", "?", "…", ")", '"', "”", "»", "。", "！", "？")


def spoken(text: str) -> str:
    """The answer without what local models think aloud, also where the opening tag went missing."""
    return _HEADLESS.sub("", _THOUGHT.sub("", text)).strip()


def trailing_off(text: str) -> str:
    """An answer that was cut off: the last whole word, and an ellipsis."""
    if text.endswith(_ENDS):
        return text
    whole = text.rpartition(" ")[0] if " " in text[-40:] else text
    return f"{whole.rstrip(' ,;:–-')}…"
