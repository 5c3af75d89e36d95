"""A reply as the brain wrote it becomes the parts that are texted. Pure."""

from __future__ import annotations

import hashlib

from parley_common.domain.plain_text import to_plain_text
from parley_common.domain.smart_punctuation import to_gsm_punctuation
from parley_common.domain.splitting import split_text
from parley_common.events import Reply


def render(reply: Reply, most_parts: int) -> tuple[str, ...]:
    """The bodies of the reply's parts: none where nothing is left to say, an empty one for an attachment alone."""
    text = to_gsm_punctuation(to_plain_text(reply.text))
    return split_text(text, max_parts=most_parts) or (("",) if reply.media else ())


def part_id(message_id: str, part: int) -> str:
    """The part's name: 32 hex digits, the same whoever sends it and however often."""
    return hashlib.sha256(f"{message_id}\0{part}".encode()).hexdigest()[:32]
