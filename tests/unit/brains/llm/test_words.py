"""What a model wrote and what a person reads."""

from __future__ import annotations

import pytest

from parley_brains.llm.words import spoken, texts_a_call, trailing_off


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("At nine.", "At nine."),
        ("<think>hm</think>At nine.", "At nine."),
        ("<THINKING>\nhm\n</THINKING>\n\nAt nine.", "At nine."),
        ("<think>a</think>At <think>b</think>nine.", "At nine."),
        ("hm, nine?</think>At nine.", "At nine."),
        ("At nine.<think>and on Sat", "At nine."),
        ("<think>never said", ""),
        ("I think <3 is a heart.", "I think <3 is a heart."),
        ("hm, nine\n</think>\n\nAt nine.", "At nine."),
        ("hm, nine</think>\nAt nine.", "At nine."),
        ("HTML has no </think> tag, it is XML.", "HTML has no </think> tag, it is XML."),
        ("HTML has no <think> tag, it is XML.", "HTML has no <think> tag, it is XML."),
        ("  \n", ""),
    ],
)
def test_thoughts_are_not_said(written: str, read: str) -> None:
    assert spoken(written) == read


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "order", "arguments": {}}\n</tool_call>',
        'Let me see. <tool_call>{"name": "order"}',
        "<tool_call><function=order>",
        "<function=order>",
        '[TOOL_CALLS][{"name": "order"}]',
        "<|python_tag|>order()",
    ],
)
def test_a_call_that_a_model_writes_as_text_is_known(text: str) -> None:
    assert texts_a_call(text)


def test_a_word_about_calls_is_no_call() -> None:
    assert not texts_a_call("The tag is called <tool_call>, and {x} stands in it.")


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        ("We open at nine.", "We open at nine."),
        ("We open at ni", "We open at…"),
        ("We open, and", "We open…"),
        ("日本語の答え", "日本語の答え…"),
        ("x" * 100, "x" * 100 + "…"),
    ],
)
def test_a_cut_answer_ends_at_a_word(cut: str, told: str) -> None:
    assert trailing_off(cut) == told
