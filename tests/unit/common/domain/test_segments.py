"""Segment counts: the sizes carriers bill, at and around every limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.segments import (
    Encoding,
    Segments,
    count_segments,
    find_non_gsm_7,
    is_gsm_7,
    utf_16_units,
)

FAMILY = "👨‍👩‍👧‍👦"  # 11 units, one visible character
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units"),
    [
        pytest.param("", Encoding.GSM_7, 1, 0, id="nothing"),
        pytest.param("a" * 160, Encoding.GSM_7, 1, 160, id="one full segment"),
        pytest.param("a" * 161, Encoding.GSM_7, 2, 161, id="one septet more"),
        pytest.param("a" * 306, Encoding.GSM_7, 2, 306, id="two full segments"),
        pytest.param("a" * 307, Encoding.GSM_7, 3, 307, id="two full segments and one septet"),
        pytest.param("a" * 1600, Encoding.GSM_7, 11, 1600, id="the longest body"),
        pytest.param("€" * 80, Encoding.GSM_7, 1, 160, id="escaped characters cost two"),
        pytest.param("a" * 159 + "€", Encoding.GSM_7, 2, 161, id="an escape that does not fit"),
        pytest.param("a" * 152 + "€" + "a" * 152, Encoding.GSM_7, 3, 306, id="an escape straddles nothing"),
        pytest.param("€" * 153, Encoding.GSM_7, 3, 306, id="76 escapes a segment, one septet unused"),
        pytest.param("a\r\nb", Encoding.GSM_7, 1, 4, id="a line end is two septets"),
        pytest.param("é" * 160, Encoding.GSM_7, 1, 160, id="e acute is GSM-7"),
        pytest.param("ç" * 70, Encoding.UCS_2, 1, 70, id="c cedilla is not"),
        pytest.param("“" + "a" * 69, Encoding.UCS_2, 1, 70, id="one curly quote turns the whole text"),
        pytest.param("“" + "a" * 70, Encoding.UCS_2, 2, 71, id="one unit more"),
        pytest.param("ж" * 134, Encoding.UCS_2, 2, 134, id="two full segments of UCS-2"),
        pytest.param("ж" * 135, Encoding.UCS_2, 3, 135, id="two full segments of UCS-2 and one unit"),
        pytest.param("😀" * 35, Encoding.UCS_2, 1, 70, id="emoji are two units"),
        pytest.param("😀" * 67, Encoding.UCS_2, 3, 134, id="no surrogate pair is parted"),
        pytest.param(FAMILY * 7, Encoding.UCS_2, 2, 77, id="a family is eleven units"),
        pytest.param(FAMILY * 13, Encoding.UCS_2, 3, 143, id="six families a segment, none parted"),
        pytest.param("ж\r\n" * 45, Encoding.UCS_2, 3, 135, id="a line end may be parted"),
        pytest.param("[]" + "ж" * 68, Encoding.UCS_2, 1, 70, id="no escapes in UCS-2"),
        pytest.param("e\u0301" * 35, Encoding.UCS_2, 1, 70, id="a combining accent is its own unit"),
        pytest.param("a" + "\u0301" * 99, Encoding.UCS_2, 2, 100, id="a cluster larger than a segment"),
        pytest.param("\ud83d" * 3, Encoding.UCS_2, 1, 3, id="lone surrogates"),
    ],
)
def test_a_text_is_counted_as_the_carrier_counts_it(
    text: str, encoding: Encoding, segments: int, units: int
) -> None:
    assert count_segments(text) == Segments(encoding=encoding, segments=segments, units=units)


def test_every_character_of_the_basic_table_is_one_septet() -> None:
    assert len(BASIC) == 127  # all but the escape itself
    assert count_segments(BASIC).units == 127


@pytest.mark.parametrize("char", "|^€{}[]~\\\f")
def test_every_character_of_the_extension_table_is_two_septets(char: str) -> None:
    assert count_segments(char) == Segments(encoding=Encoding.GSM_7, segments=1, units=2)


@pytest.mark.parametrize("char", ["`", "\t", "á", "í", "ó", "ú", "ç", "ê", "’", "–", "\u00a0", "\x00", "α"])
def test_look_alikes_outside_the_tables_are_not_gsm_7(char: str) -> None:
    assert not is_gsm_7(f"a{char}")


def test_the_characters_that_cost_an_encoding_are_named_once_in_order() -> None:
    assert find_non_gsm_7("a–b “c” – 😀") == ("–", "“", "”", "😀")


@given(st.text())
def test_a_count_agrees_with_its_own_limits(text: str) -> None:
    size = count_segments(text)
    assert (size.segments == 1) == (size.units <= size.encoding.single_units)
    assert size.units <= max(size.encoding.single_units, size.segments * size.encoding.part_units)


@given(st.text())
def test_units_are_the_length_in_utf_16(text: str) -> None:
    assert utf_16_units(text) == sum(2 if ord(char) > 0xFFFF else 1 for char in text)


@given(st.text(), st.text())
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    if is_gsm_7(text) == is_gsm_7(text + more):
        assert count_segments(text + more).segments >= count_segments(text).segments
