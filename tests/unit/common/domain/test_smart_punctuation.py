"""Typography gives way to GSM-7 where that saves an encoding, and only there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.segments import find_non_gsm_7, is_gsm_7
from parley_common.domain.smart_punctuation import to_gsm_punctuation

# Punctuation and spaces that Twilio's published calculator replaces too.
REPLACED_BY_TWILIO = (
    "«»“”‟„❝❞〝〞＂‘’ʻˈʼʽʹ‛＇´ˊ`ˋ❛❜÷¼½¾⁄∕／＼＿∣｜―﹣－‐⁃＠＄！＃％＆‚，（）∗＊＋．０９：；＜＝＞？ＡＺ＾｛｝［］～∼"
    "\u00a0\u2000\u2002\u2003\u2009\u202f\u205f\u3000\t\x00\x10\u2060—–‹›‼\u2028\u2029…\u200b\u200c\ufeff•"
)


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("“Hi” – it’s done…", '"Hi" - it\'s done...'),
        ("wait—what", "wait - what"),
        ("wait — what", "wait - what"),
        ("1½ cups, ¾ done", "1 1/2 cups, 3/4 done"),
        ("a\u00a0b\u2009c\u200bd\ufeff", "a b cd"),
        ("• one\n• two", "- one\n- two"),
        ("A → B ⇒ C ≤ D ≠ E", "A -> B => C <= D != E"),
        ("ｆｕｌｌ　ｗｉｄｔｈ！", "full width!"),
        ("cafe\u0301", "café"),
        ("`code`", "'code'"),
        ("a\tb", "a b"),
        ("5 × 3 = ‘15’", "5 x 3 = '15'"),
        ("© 2026 Acme™", "(c) 2026 AcmeTM"),
    ],
)
def test_typography_becomes_gsm_7(text: str, replaced: str) -> None:
    assert to_gsm_punctuation(text) == replaced


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("“Привет” – да", id="Cyrillic"),
        pytest.param("“Great” 🎉", id="an emoji"),
        pytest.param("“á”", id="a letter GSM-7 lacks"),
        pytest.param("see https://example.com/a–b “here”", id="a dash within a URL"),
    ],
)
def test_a_text_that_cannot_be_saved_keeps_its_typography(text: str) -> None:
    assert to_gsm_punctuation(text) == text


def test_urls_are_not_touched() -> None:
    assert "https://example.com/?q=1" in to_gsm_punctuation("“see” https://example.com/?q=1 – now")


@pytest.mark.parametrize("char", REPLACED_BY_TWILIO)
def test_what_twilio_would_replace_is_replaced_here(char: str) -> None:
    assert is_gsm_7(to_gsm_punctuation(f"a {char} b"))


@given(st.text(st.sampled_from("ab 1“”’–—…½é\u00a0\u200b🎉ж")))
def test_the_result_is_gsm_7_or_the_text_itself(text: str) -> None:
    result = to_gsm_punctuation(text)
    assert is_gsm_7(result) or result == text
    assert is_gsm_7(result) == (not {"🎉", "ж"} & set(find_non_gsm_7(text)))


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_raises(text: str) -> None:
    assert to_gsm_punctuation(to_gsm_punctuation(text)) == to_gsm_punctuation(text)
