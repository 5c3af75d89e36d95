"""What an agent says: no placeholder that stays one, nothing that carriers block, nothing too long. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parley_brains.agent_file import AgentFile
from parley_brains.checking.findings import Finding, nearest, shown
from parley_brains.checking.lines import Key
from parley_brains.checking.walking import all_words
from parley_brains.scripted.checking import filled_at
from parley_brains.scripted.filling import RESULT, holes
from parley_brains.scripted.script import Menu
from parley_brains.scripted.speaking import numbered
from parley_brains.wording import Wording
from parley_common.domain.plain_text import to_plain_text
from parley_common.domain.segments import Encoding, count_segments, find_non_gsm_7, utf_16_units
from parley_common.domain.smart_punctuation import to_gsm_punctuation

MOST_SEGMENTS = 4
"""More than so many are told of: each is billed, and few people read on."""

FILLED = frozenset({"text", "menu"})
"""What a script fills wherever it answers."""

SHORTENERS = frozenset(
    {
        *("bit.ly", "bitly.com", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy"),
        *("rebrand.ly", "s.id", "short.io", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd"),
    }
)
"""Shared with everybody, so with those who send spam: carriers block texts that name one."""

_NAMED = "|".join(map(re.escape, sorted(SHORTENERS)))
_SHORT = re.compile(rf"(?<![\w.@-])(?:www\.)?({_NAMED})(?=[/:?#])", re.IGNORECASE)


def reply_findings(file: AgentFile) -> Iterator[Finding]:
    """What is wrong with what the agent says."""
    for path, text, filled in _said(file):
        yield from _unfilled(path, text, filled)
        yield from _shortened(path, text)
        plain = to_gsm_punctuation(to_plain_text(text))
        yield from _cut(path, plain, file.reply.most_characters) if filled else ()
        yield from _long(path, plain)
    for name, menu in file.menus.items():
        yield from _crowded(("menus", name), menu, file.reply.most_characters)


def _said(file: AgentFile) -> Iterator[tuple[Key, str, frozenset[str]]]:
    """Each text with its key and what is filled in there."""
    for path, words in all_words(file):
        filled = _filled(file, path)
        if isinstance(words, Wording):
            yield (*path, "text"), words.text, filled
            yield (*path, "whatsapp"), words.whatsapp, filled
        else:
            yield path, words, filled
    for name in ("failure", "empty", "apology", "capped", "refused", "offer"):
        yield (name,), getattr(file, name), frozenset()
    yield ("handoff", "reply"), file.handoff.reply, frozenset()
    yield ("handoff", "back_reply"), file.handoff.back_reply, frozenset()
    for menu, one in file.menus.items():
        for number, choice in enumerate(one.choices):
            yield ("menus", menu, "choices", number, "label"), choice.label, frozenset()


def _filled(file: AgentFile, path: Key) -> frozenset[str]:
    """Where nothing was texted that a script could repeat, it has no ``{text}``."""
    filled = FILLED | filled_at(file, path)
    return filled - {"text"} if path[0] in ("left", "picture") or "gave_up" in path[2:3] else filled


def _unfilled(path: Key, text: str, filled: frozenset[str]) -> Iterator[Finding]:
    for hole in holes(text):
        name, dot, _ = hole.partition(".")
        if name not in filled or (dot and name != RESULT):
            close = nearest(name, filled)
            known = ", ".join(f"{{{one}}}" for one in sorted(filled))
            fix = f"did you mean {{{close}}}?" if close else f"filled there: {known or 'nothing'}"
            yield Finding(path, f"{shown(path)}: nothing fills {{{hole}}}", fix)


def _shortened(path: Key, text: str) -> Iterator[Finding]:
    for host in dict.fromkeys(found.lower() for found in _SHORT.findall(text)):
        what = f"{shown(path)}: carriers block texts with links of {host}"
        yield Finding(path, what, "write the whole link, or one under a domain of yours", suspicious=True)


def _cut(path: Key, plain: str, most_characters: int) -> Iterator[Finding]:
    """A brain's answer that is longer than the file allows."""
    if utf_16_units(plain) > most_characters:
        what = f"{shown(path)} has {utf_16_units(plain)} characters"
        fix = f"reply.most_characters cuts it at {most_characters}: raise that or say less"
        yield Finding(path, what, fix, suspicious=True)


def _crowded(path: Key, menu: Menu, most_characters: int) -> Iterator[Finding]:
    """A menu whose prompt is cut, since its choices never are."""
    prompt = menu.prompt if isinstance(menu.prompt, str) else menu.prompt.text
    choices = utf_16_units(numbered(menu.choices))
    size = utf_16_units(prompt.strip()) + len("\n\n") + choices
    if choices <= most_characters < size and utf_16_units(prompt.strip()) <= most_characters:
        what = f"{shown(path)} has {size} characters with its choices"
        fix = f"reply.most_characters is {most_characters}, so the prompt is cut: raise that or say less"
        yield Finding((*path, "prompt"), what, fix, suspicious=True)


def _long(path: Key, plain: str) -> Iterator[Finding]:
    size = count_segments(plain)
    if size.segments > MOST_SEGMENTS and path[-1] != "whatsapp":
        odd = " ".join(find_non_gsm_7(plain)[:5]) if size.encoding is Encoding.UCS_2 else ""
        fix = f"say less, or do without {odd}, which more than doubles the segments" if odd else "say less"
        what = f"{shown(path)} takes {size.segments} SMS segments, each is billed"
        yield Finding(path, what, fix, suspicious=True)
