"""A model server that is missing, slow, out of quota or mad: one sentence for the operator, and in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.model_replies import Call, Reply, calls, cuts_off, garbage, hangs, html, refuses, says
from harness.model_server import ModelServer, running_model_server
from harness.ports import free_port
from integration.brains.models import NUMBER, TEXT, agent_file, attachment, brain_at, turn
from parley_brains.brain import BrainFailed, Exchange
from parley_common.events import Usage

pytestmark = pytest.mark.anyio

OPENAI = {"OPENAI_API_KEY": "sk-secret", "PARLEY_MODEL_FALLBACK": "openai:gpt-fallback"}

FAILURES = {
    "refused the key (401)": (refuses(401), 1),
    "says that its quota is used up (429)": (refuses(429, "insufficient_quota"), 1),
    "is out of quota for now (429)": (refuses(429), 2),
    "does not know the model test-model (404)": (refuses(404, "model_not_found"), 1),
    "refused the request (400)": (refuses(400, "invalid_request_error", f"{NUMBER} {TEXT}"), 1),
    "failed (500)": (refuses(500, message=TEXT), 2),
    "failed (503)": (refuses(503), 2),
    "failed (502)": (html(502), 2),
    "answers with what is no answer of a model": (garbage(), 2),
    "broke off the connection": (cuts_off(), 2),
    "held the answer back": (says("", finish="content_filter"), 1),
    "is too long for the model test-model": (refuses(400, "context_length_exceeded"), 1),
}


@pytest.mark.parametrize("reason", FAILURES)
async def test_trouble_is_one_sentence_that_tells_no_secret(server: ModelServer, reason: str) -> None:
    server.otherwise, requests = FAILURES[reason]
    async with brain_at(server, settings={"PARLEY_LLM_API_KEY": "k-secret"}) as brain:
        with pytest.raises(BrainFailed) as failed:
            await brain.answer(turn())
    told = str(failed.value)
    assert reason in told
    assert "\n" not in told
    assert not any(secret in told for secret in ("k-secret", NUMBER, TEXT))
    assert len(server.asked) == requests


async def test_a_page_in_place_of_an_answer_is_no_answer(server: ModelServer) -> None:
    server.otherwise = html()
    async with brain_at(server) as brain:
        with pytest.raises(BrainFailed, match="what is no answer of a model"):
            await brain.answer(turn())


async def test_a_server_that_is_not_there_is_named() -> None:
    server = ModelServer(url=f"http://127.0.0.1:{free_port()}")
    async with brain_at(server, settings={"PARLEY_MODEL": "llama3.2"}) as brain:
        with pytest.raises(BrainFailed, match=f"the model server at {server.url} cannot be reached"):
            await brain.answer(turn())


@pytest.mark.parametrize("trouble", [refuses(429, retry_after="0"), refuses(500), cuts_off(), garbage()])
async def test_trouble_that_passes_is_passed_over(server: ModelServer, trouble: Reply) -> None:
    server.then(trouble, says("At nine."))
    async with brain_at(server) as brain:
        answer = await brain.answer(turn())
    assert answer.messages[0].text == "At nine."
    assert len(server.asked) == 2


async def test_a_server_is_left_alone_for_as_long_as_it_asks(server: ModelServer) -> None:
    server.then(refuses(429, retry_after="1"), says("At nine."))
    async with brain_at(server) as brain:
        await brain.answer(turn())
    first, second = server.asked
    assert second.at_s - first.at_s >= 1.0


async def test_a_server_that_asks_for_a_minute_is_not_asked_again(server: ModelServer) -> None:
    server.otherwise = refuses(429, retry_after="60")
    async with brain_at(server) as brain:
        with pytest.raises(BrainFailed, match=r"\(429\)"):
            await brain.answer(turn())
    assert len(server.asked) == 1


async def test_the_fallback_answers_where_the_model_fails(server: ModelServer) -> None:
    server.otherwise = lambda asked: refuses(500) if asked.body["model"] == "small" else says("At nine.")
    environment = {**OPENAI, "OPENAI_BASE_URL": server.base_url}
    async with brain_at(server, settings={"PARLEY_MODEL": "small", **environment}) as brain:
        answer = await brain.answer(turn())
    assert answer.messages[0].text == "At nine."
    assert answer.usage == Usage(model="gpt-fallback", input_tokens=100, output_tokens=20)
    assert [asked.body["model"] for asked in server.asked] == ["small", "small", "gpt-fallback"]


async def test_the_fallback_goes_on_with_what_tools_have_answered(server: ModelServer) -> None:
    replies = {"small": [calls(Call("hand_over_to_a_person")), refuses(401)], "gpt-fallback": [says("Done.")]}
    server.otherwise = lambda asked: replies[asked.body["model"]].pop(0)
    file = agent_file(handoff={"words": ["HUMAN"], "reply": ""})
    environment = {**OPENAI, "OPENAI_BASE_URL": server.base_url}
    async with brain_at(server, file, settings={"PARLEY_MODEL": "small", **environment}) as brain:
        answer = await brain.answer(turn())
    assert answer.messages[0].text == "Done."
    assert answer.hand_over
    assert answer.usage == Usage(model="gpt-fallback", input_tokens=200, output_tokens=40)
    assert len(server.asked[-1].tool_results) == 1


async def test_a_refused_request_goes_to_the_fallback_whatever_came_before(server: ModelServer) -> None:
    server.otherwise = lambda asked: refuses(400) if asked.body["model"] == "small" else says("At nine.")
    environment = {**OPENAI, "OPENAI_BASE_URL": server.base_url}
    past = [Exchange(text="Hi", answers=("Hello",))]
    async with brain_at(server, settings={"PARLEY_MODEL": "small", **environment}) as brain:
        answer = await brain.answer(turn(past=past, attachments=(attachment("image/png", b"\x89PNG"),)))
    assert answer.messages[0].text == "At nine."


async def test_the_fallback_answers_for_a_server_whose_models_cannot_be_listed(server: ModelServer) -> None:
    server.listed = refuses(500)
    environment = {**OPENAI, "OPENAI_BASE_URL": server.base_url}
    async with brain_at(server, settings=environment) as brain:
        assert (await brain.answer(turn())).messages[0].text == "Hello."


async def test_no_key_goes_to_a_server_it_is_not_for() -> None:
    async with running_model_server(*[refuses(500)] * 2) as own, running_model_server(says("At nine.")) as openai:
        environment = {**OPENAI, "OPENAI_BASE_URL": openai.base_url, "PARLEY_LLM_API_KEY": "own-key"}
        async with brain_at(own, settings={"PARLEY_MODEL": "small", **environment}) as brain:
            await brain.answer(turn())
    assert {asked.headers["Authorization"] for asked in own.asked} == {"Bearer own-key"}
    assert {asked.headers["Authorization"] for asked in openai.asked} == {"Bearer sk-secret"}


async def test_a_slow_model_leaves_time_for_its_fallback(server: ModelServer) -> None:
    server.otherwise = lambda asked: hangs() if asked.body["model"] == "small" else says("At nine.")
    file = agent_file(llm={"request_timeout_s": 1.0}, reply={"within_s": 10.0})
    environment = {**OPENAI, "OPENAI_BASE_URL": server.base_url}
    async with brain_at(server, file, settings={"PARLEY_MODEL": "small", **environment}) as brain:
        answer = await brain.answer(turn())
    assert answer.messages[0].text == "At nine."
    assert [asked.body["model"] for asked in server.asked] == ["small", "gpt-fallback"]


async def test_a_model_that_never_answers_fails_before_the_turn_does(server: ModelServer) -> None:
    server.otherwise = hangs()
    file = agent_file(llm={"request_timeout_s": 20.0}, reply={"within_s": 4.0})
    began = time.monotonic()
    async with brain_at(server, file) as brain:
        with pytest.raises(BrainFailed, match=r"did not answer within 3\.2 s|no answer within 3\.2 s"):
            await brain.answer(turn())
    assert time.monotonic() - began < 4.0


async def test_texts_follow_no_redirect(server: ModelServer) -> None:
    async with running_model_server() as elsewhere:
        server.otherwise = Reply(status=307, headers={"Location": f"{elsewhere.base_url}/chat/completions"})
        async with brain_at(server) as brain:
            with pytest.raises(BrainFailed):
                await brain.answer(turn())
        assert not elsewhere.asked


async def test_tokens_are_counted_although_the_turn_failed(server: ModelServer) -> None:
    server.then(calls(Call("hand_over_to_a_person", "{broken"), usage=(70, 9)))
    server.otherwise = refuses(500)
    async with brain_at(server, agent_file(handoff={"words": ["HUMAN"]})) as brain:
        with pytest.raises(BrainFailed) as failed:
            await brain.answer(turn())
    assert failed.value.usage == Usage(model="test-model", input_tokens=70, output_tokens=9)


CHOICELESS = Reply(
    body=b'{"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [],'
    b' "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}'
)
TEXTED = '<tool_call>\n{"name": "order_status", "arguments": {"number": "7"}}\n</tool_call>'


async def test_an_answer_without_choices_is_asked_for_again(server: ModelServer) -> None:
    server.then(CHOICELESS, says("At nine."))
    async with brain_at(server) as brain:
        assert (await brain.answer(turn())).messages[0].text == "At nine."


async def test_where_no_answer_has_choices_the_fallback_is_asked(server: ModelServer) -> None:
    server.otherwise = CHOICELESS
    async with running_model_server(says("At ten.")) as other:
        settings = {**OPENAI, "OPENAI_BASE_URL": other.base_url}
        async with brain_at(server, settings=settings) as brain:
            assert (await brain.answer(turn())).messages[0].text == "At ten."
    async with brain_at(server) as brain:
        with pytest.raises(BrainFailed, match="what is no answer of a model"):
            await brain.answer(turn())


async def test_a_call_that_a_server_passes_on_as_text_is_never_texted(server: ModelServer) -> None:
    server.otherwise = says(TEXTED)
    async with brain_at(server) as brain:
        with pytest.raises(BrainFailed, match="it has no tool parser for the model test-model") as failed:
            await brain.answer(turn())
    assert failed.value.usage is not None
    assert len(server.asked) == 1


async def test_the_tokens_of_a_turn_that_breaks_off_are_told(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise OSError("the disk is gone")

    server.otherwise = calls(Call("search_knowledge", {"question": "when"}))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Hours\n\nAt nine.\n")
    async with brain_at(server, agent_file(knowledge="docs"), tmp_path) as brain:
        monkeypatch.setattr("parley_brains.knowledge.Knowledge.search", broken)
        with pytest.raises(BrainFailed, match="an error of Parley's own: OSError") as failed:
            await brain.answer(turn())
    assert failed.value.usage == Usage(model="test-model", input_tokens=100, output_tokens=20)
