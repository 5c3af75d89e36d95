"""What a model is told before it reads a text."""

from __future__ import annotations

from datetime import UTC, datetime

from parley_brains.agent_file import AgentFile, ReplyLimits
from parley_brains.brain import Kind
from parley_brains.llm.prompt import system_prompt
from parley_brains.llm.settings import Llm

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)


def prompt(file: AgentFile | None = None, *, knows: bool = False, hands_over: bool = False) -> str:
    return system_prompt(file or AgentFile(), Kind.SMS, NOW, knows=knows, hands_over=hands_over)


def test_the_operators_words_come_first() -> None:
    file = AgentFile(llm=Llm(prompt="\nYou work for Ada's Bikes.\n"), reply=ReplyLimits(most_characters=320))
    told = prompt(file)
    assert told.startswith("You work for Ada's Bikes.\n\nRules that stand above all else:\n- ")
    assert "never more than 320 characters" in told


def test_without_a_prompt_the_model_is_still_told_what_it_is() -> None:
    assert prompt().startswith("You are a friendly assistant")


def test_the_day_is_told() -> None:
    assert "It is Saturday, 2026-11-21, 14:05 UTC." in prompt()


def test_only_what_is_there_is_offered() -> None:
    assert "search_knowledge" not in prompt()
    assert "search_knowledge" in prompt(knows=True)
    assert "hand_over_to_a_person" not in prompt()
    assert "hand_over_to_a_person" in prompt(hands_over=True)


def test_whatsapp_has_other_rules_than_sms() -> None:
    whatsapp = system_prompt(AgentFile(), Kind.WHATSAPP, NOW, knows=False, hands_over=False)
    assert "*bold*" in whatsapp
    assert "*bold*" not in prompt()
