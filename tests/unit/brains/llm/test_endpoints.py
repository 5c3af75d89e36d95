"""Which model is asked, where, and with which key."""

from __future__ import annotations

import pytest

from parley_brains.llm.endpoints import Endpoint, Maker, read_endpoints
from parley_brains.llm.settings import Llm
from parley_common.settings import SettingsError

LOCAL = "http://127.0.0.1:11434/v1"


def read(llm: Llm | None = None, **environment: str) -> tuple[Endpoint, ...]:
    return read_endpoints(llm or Llm(), environment)


def test_openai_is_asked_with_its_own_key() -> None:
    (one,) = read(PARLEY_MODEL="openai:gpt-5", OPENAI_API_KEY="sk-1", PARLEY_LLM_API_KEY="other")
    assert one == Endpoint(maker=Maker.OPENAI, model="gpt-5", base_url="https://api.openai.com/v1", key="sk-1")


def test_anthropic_is_asked_where_its_own_variable_says() -> None:
    (one,) = read(
        PARLEY_MODEL="anthropic:claude", ANTHROPIC_API_KEY="a", ANTHROPIC_BASE_URL="https://proxy.example/"
    )
    assert one == Endpoint(maker=Maker.ANTHROPIC, model="claude", base_url="https://proxy.example", key="a")


def test_a_server_of_ones_own_needs_neither_name_nor_key() -> None:
    (one,) = read(PARLEY_LLM_BASE_URL=f"{LOCAL}/", OPENAI_API_KEY="sk-1")
    assert one == Endpoint(maker=Maker.COMPATIBLE, model="", base_url=LOCAL, key="")


def test_a_name_with_a_colon_is_one_of_ollamas() -> None:
    (one,) = read(PARLEY_LLM_BASE_URL=LOCAL, PARLEY_MODEL="llama3.2:3b", PARLEY_LLM_API_KEY="k")
    assert (one.maker, one.model, one.key) == (Maker.COMPATIBLE, "llama3.2:3b", "k")


def test_the_environment_comes_before_the_file() -> None:
    llm = Llm(model="small", base_url="http://file.example", fallback="other")
    own, fallback = read(
        llm, PARLEY_MODEL="large", PARLEY_LLM_BASE_URL=LOCAL, PARLEY_MODEL_FALLBACK="openai:x", OPENAI_API_KEY="s"
    )
    assert (own.model, own.base_url) == ("large", LOCAL)
    assert (fallback.maker, fallback.model) == (Maker.OPENAI, "x")
    own, fallback = read(llm)
    assert (own.model, own.base_url, fallback.model) == ("small", "http://file.example", "other")


def test_a_model_of_the_environment_may_stand_beside_a_server_of_the_file() -> None:
    (one,) = read(Llm(base_url=LOCAL), PARLEY_MODEL="openai:gpt-5", OPENAI_API_KEY="s")
    assert one.maker is Maker.OPENAI


MISTAKES: dict[str, tuple[Llm, dict[str, str]]] = {
    "no model is set: set PARLEY_MODEL or PARLEY_LLM_BASE_URL": (Llm(), {}),
    "model openai:gpt-5 needs a key: set OPENAI_API_KEY": (Llm(model="openai:gpt-5"), {}),
    "model anthropic:c needs a key: set ANTHROPIC_API_KEY": (Llm(), {"PARLEY_MODEL": "anthropic:c"}),
    "model openai:x needs a key": (Llm(), {"PARLEY_LLM_BASE_URL": LOCAL, "PARLEY_MODEL_FALLBACK": "openai:x"}),
    "model llama needs a server: set PARLEY_LLM_BASE_URL": (Llm(model="llama"), {}),
    "has no name": (Llm(model="openai:"), {}),
    "PARLEY_LLM_BASE_URL is no URL": (Llm(), {"PARLEY_LLM_BASE_URL": "127.0.0.1:11434"}),
    "llm.base_url is no URL": (Llm(base_url="http://"), {}),
    "which is not at PARLEY_LLM_BASE_URL": (
        Llm(),
        {"PARLEY_LLM_BASE_URL": LOCAL, "PARLEY_MODEL": "openai:gpt-5", "OPENAI_API_KEY": "s"},
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_at_the_start(mistake: str) -> None:
    llm, environment = MISTAKES[mistake]
    with pytest.raises(SettingsError) as refused:
        read_endpoints(llm, environment)
    assert mistake in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_server_is_named_without_its_credentials() -> None:
    (one,) = read(PARLEY_LLM_BASE_URL="https://ada:secret@models.example:8443/v1", PARLEY_LLM_API_KEY="k-secret")
    assert one.server == "https://models.example:8443"
    assert "k-secret" not in repr(one)
