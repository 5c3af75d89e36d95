"""Replaces typography that would turn a GSM-7 text into UCS-2, which more than doubles its segments.

Only where that works for the whole text: with an emoji or a Cyrillic word in it the text is UCS-2 anyway and keeps
its typography. Letters are never exchanged (``á`` stays ``á``), URLs are not touched. Twilio's Smart Encoding
does much the same after us; doing it here lets parts be counted as they are billed.
"""

from __future__ import annotations

import re
import unicodedata

from parley_common.domain.segments import is_gsm_7
from parley_common.domain.urls import URL

_LOOK_ALIKES = {
    '"': "“”„‟«»″‶〝〞❝❞ʺˮ",
    "'": "‘’‚‛‹›′‵´`ʹʻʼʽˈˊˋ❛❜",
    "-": "‐‑‒–—―−⁃﹣•◦‣▪▸►●○■□",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\x0b\x85\u2028\u2029",
    "/": "÷⁄∕⧸",
    "\\": "⧵⧹",
    "|": "¦∣❘⏐",
    "*": "∗⁎✱",
    "~": "∼≈˜",
    "^": "ˆ",
    ".": "·․",
    ",": "¸",
    "x": "×",
    "...": "…",
    "..": "‥",
    "!!": "‼",
    "?!": "⁈",
    "!?": "⁉",
    "->": "→➔➜⟶",
    "<-": "←⟵",
    "<->": "↔",
    "=>": "⇒",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "+/-": "±",
    "1/2": "½",
    "1/3": "⅓",
    "2/3": "⅔",
    "1/4": "¼",
    "3/4": "¾",
    "1/5": "⅕",
    "1/8": "⅛",
    "3/8": "⅜",
    "5/8": "⅝",
    "7/8": "⅞",
    "No.": "№",
    "TM": "™",
    "(c)": "©",
    "(R)": "®",
    "ff": "ﬀ",
    "fi": "ﬁ",
    "fl": "ﬂ",
}
_INVISIBLE = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufe0f\ufeff"
)
_CONTROLS = "".join(chr(code) for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\x0b\f\r\x85")
_FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
_REPLACEMENTS = str.maketrans(
    dict.fromkeys(_INVISIBLE + _CONTROLS, "")
    | _FULL_WIDTH
    | {mark: plain for plain, marks in _LOOK_ALIKES.items() for mark in marks}
)
_MIXED_NUMBER = re.compile(r"(?<=\d)(?=[½⅓⅔¼¾⅕⅛⅜⅝⅞])")
_TIGHT_DASH = re.compile(r"(?<=\w)—(?=\w)")


def to_gsm_punctuation(text: str) -> str:
    """The text in GSM-7 where replacing punctuation is enough for that, else the text as it is."""
    if is_gsm_7(text):
        return text
    pieces: list[str] = []
    end = 0
    for url in URL.finditer(text):
        pieces += (_replace(text[end : url.start()]), url[0])
        end = url.end()
    replaced = "".join((*pieces, _replace(text[end:])))
    return replaced if is_gsm_7(replaced) else text


def _replace(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    spaced = _TIGHT_DASH.sub(" - ", _MIXED_NUMBER.sub(" ", composed))
    return spaced.translate(_REPLACEMENTS)
