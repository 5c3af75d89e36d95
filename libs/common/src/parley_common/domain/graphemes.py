"""What a reader sees as one character: an emoji with its skin tone, a flag, a letter with its accents.

A compact form of the extended grapheme clusters of Unicode's annex 29, built on ``unicodedata`` alone:
combining marks, ZWJ sequences, variation selectors, skin tones, flags, keycaps, Hangul and CRLF. It does
not know Indic conjuncts (rule GB9c), which may be parted where one word is longer than a whole text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache

_CR, _LF, _ZWJ = "\r", "\n", "\u200d"


class _Kind(Enum):
    OTHER = auto()
    CONTROL = auto()
    EXTEND = auto()
    PREPEND = auto()
    PICTOGRAPH = auto()
    REGIONAL = auto()
    HANGUL_L = auto()
    HANGUL_V = auto()
    HANGUL_T = auto()
    HANGUL_LV = auto()
    HANGUL_LVT = auto()


_RANGES: tuple[tuple[int, int, _Kind], ...] = (
    (0x0600, 0x0605, _Kind.PREPEND),
    (0x06DD, 0x06DD, _Kind.PREPEND),
    (0x070F, 0x070F, _Kind.PREPEND),
    (0x0890, 0x0891, _Kind.PREPEND),
    (0x08E2, 0x08E2, _Kind.PREPEND),
    (0x0D4E, 0x0D4E, _Kind.PREPEND),
    (0x0E33, 0x0E33, _Kind.EXTEND),  # Thai SARA AM, a letter that is drawn on the one before
    (0x0EB3, 0x0EB3, _Kind.EXTEND),  # its Lao sister
    (0x1100, 0x115F, _Kind.HANGUL_L),
    (0x1160, 0x11A7, _Kind.HANGUL_V),
    (0x11A8, 0x11FF, _Kind.HANGUL_T),
    (0x200C, 0x200D, _Kind.EXTEND),  # zero-width (non-)joiner
    (0x3030, 0x3030, _Kind.PICTOGRAPH),
    (0x303D, 0x303D, _Kind.PICTOGRAPH),
    (0xA960, 0xA97C, _Kind.HANGUL_L),
    (0xD7B0, 0xD7C6, _Kind.HANGUL_V),
    (0xD7CB, 0xD7FB, _Kind.HANGUL_T),
    (0xFF9E, 0xFF9F, _Kind.EXTEND),  # half-width Katakana voice marks
    (0x1F1E6, 0x1F1FF, _Kind.REGIONAL),
    (0x1F3FB, 0x1F3FF, _Kind.EXTEND),  # skin tones
    (0x1F000, 0x1FAFF, _Kind.PICTOGRAPH),  # after its exceptions: the first match counts
    (0x1FC00, 0x1FFFD, _Kind.PICTOGRAPH),
    (0xE0020, 0xE007F, _Kind.EXTEND),  # tags, as in the flag of Scotland
)

_PICTOGRAPHS_BY_USE = frozenset("‼⁉ℹ↔⤴⤵◽◾")  # emoji although their category is not "other symbol"

_BY_CATEGORY = {
    "Mn": _Kind.EXTEND,
    "Me": _Kind.EXTEND,
    "Mc": _Kind.EXTEND,
    "Cc": _Kind.CONTROL,
    "Cf": _Kind.CONTROL,
    "Cs": _Kind.CONTROL,
    "Zl": _Kind.CONTROL,
    "Zp": _Kind.CONTROL,
    "So": _Kind.PICTOGRAPH,
}

_HANGUL_L, _HANGUL_V, _HANGUL_T = _Kind.HANGUL_L, _Kind.HANGUL_V, _Kind.HANGUL_T
_JOINED = frozenset(
    {
        (_HANGUL_L, _HANGUL_L),
        (_HANGUL_L, _HANGUL_V),
        (_HANGUL_L, _Kind.HANGUL_LV),
        (_HANGUL_L, _Kind.HANGUL_LVT),
        (_Kind.HANGUL_LV, _HANGUL_V),
        (_Kind.HANGUL_LV, _HANGUL_T),
        (_HANGUL_V, _HANGUL_V),
        (_HANGUL_V, _HANGUL_T),
        (_Kind.HANGUL_LVT, _HANGUL_T),
        (_HANGUL_T, _HANGUL_T),
    }
)


def split_graphemes(text: str) -> Iterator[str]:
    """The clusters of a text, in order; joined they are the text. Works on lone surrogates too."""
    start = 0
    flag_open = False
    emoji_open = False
    for index in range(1, len(text)):
        left, right = _kind(text[index - 1]), _kind(text[index])
        flag_open = left is _Kind.REGIONAL and not flag_open
        emoji_open = left is _Kind.PICTOGRAPH or (emoji_open and left is _Kind.EXTEND)
        if right is _Kind.REGIONAL and flag_open:
            continue
        if right is _Kind.PICTOGRAPH and emoji_open and text[index - 1] == _ZWJ:
            continue
        if not _stay_together(left, right) and not (text[index - 1] == _CR and text[index] == _LF):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _stay_together(left: _Kind, right: _Kind) -> bool:
    if left is _Kind.CONTROL or right is _Kind.CONTROL:
        return False
    return right is _Kind.EXTEND or left is _Kind.PREPEND or (left, right) in _JOINED


@lru_cache(maxsize=4096)
def _kind(char: str) -> _Kind:
    code = ord(char)
    if 0xAC00 <= code <= 0xD7A3:
        return _Kind.HANGUL_LV if (code - 0xAC00) % 28 == 0 else _Kind.HANGUL_LVT
    for first, last, kind in _RANGES:
        if first <= code <= last:
            return kind
    if char in _PICTOGRAPHS_BY_USE:
        return _Kind.PICTOGRAPH
    return _BY_CATEGORY.get(unicodedata.category(char), _Kind.OTHER)
