"""The model's brain against a real server: what is told, what is answered, and what becomes of it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from harness.model_replies import Call, calls, refuses, says
from harness.model_server import ModelServer
from integration.brains.models import NUMBER, TEXT, agent_file, attachment, brain_at, made, turn
from parley_brains.brain import Attachment, BrainFailed, Exchange, Kind, Message, Said
from parley_brains.llm.history import count_tokens
from parley_common.events import Usage

pytestmark = pytest.mark.anyio

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


def said(answer: Said) -> str:
    (message,) = answer.messages
    return message.text


async def test_the_models_words_are_the_answer(server: ModelServer) -> None:
    server.then(says("At nine.", usage=(120, 7)))
    async with brain_at(server) as brain:
        answer = await brain.answer(turn())
    assert answer == Said(
        messages=(Message(text="At nine."),),
        usage=Usage(model="test-model", input_tokens=120, output_tokens=7),
    )
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.question == TEXT
    assert asked.body["stream"] is False
    assert asked.body["max_tokens"] == 400


async def test_the_prompt_is_the_operators_with_what_parley_adds(server: ModelServer) -> None:
    file = agent_file(llm={"prompt": "You work for the Bike Shop."}, language="de", reply={"most_characters": 320})
    async with brain_at(server, file) as brain:
        await brain.answer(turn())
    system = server.asked[0].system
    assert system.startswith("You work for the Bike Shop.\n")
    assert "SMS" in system
    assert "320 characters" in system
    assert "language de" in system


async def test_the_model_is_told_of_whatsapp(server: ModelServer) -> None:
    async with brain_at(server) as brain:
        await brain.answer(turn(kind=Kind.WHATSAPP))
    assert "WhatsApp" in server.asked[0].system


async def test_the_model_never_gets_the_persons_number(server: ModelServer) -> None:
    async with brain_at(server) as brain:
        await brain.answer(turn(past=[Exchange(text="Hi", answers=("Hello",))]))
    assert NUMBER.lstrip("+") not in str(server.asked[0])


async def test_the_history_goes_before_the_question(server: ModelServer) -> None:
    past = [
        Exchange(text="Hi", answers=("Hello!", "How can I help?")),
        Exchange(text="", answers=("A nice bike.",)),
    ]
    async with brain_at(server) as brain:
        await brain.answer(turn(past=past))
    told = [(one["role"], one["content"]) for one in server.asked[0].messages[1:]]
    assert told == [
        ("user", "Hi"),
        ("assistant", "Hello!\n\nHow can I help?"),
        ("user", "[an attachment]"),
        ("assistant", "A nice bike."),
        ("user", TEXT),
    ]


async def test_the_history_keeps_to_its_budget(server: ModelServer) -> None:
    past = [Exchange(text=f"question {number}", answers=("word " * 60,)) for number in range(50)]
    async with brain_at(server, agent_file(llm={"history_tokens": 500})) as brain:
        await brain.answer(turn(past=past))
    told = [one["content"] for one in server.asked[0].messages[1:-1]]
    assert told[-2] == "question 49"
    assert 2 <= len(told) < 20
    assert sum(map(count_tokens, told)) <= 500


async def test_no_budget_is_no_history(server: ModelServer) -> None:
    async with brain_at(server, agent_file(llm={"history_tokens": 0})) as brain:
        await brain.answer(turn(past=[Exchange(text="Hi", answers=("Hello",))]))
    assert [one["role"] for one in server.asked[0].messages] == ["system", "user"]


async def test_a_history_too_long_for_the_model_is_left_out(server: ModelServer) -> None:
    server.then(refuses(400, "context_length_exceeded"), says("Short."))
    async with brain_at(server) as brain:
        answer = await brain.answer(turn(past=[Exchange(text="Hi", answers=("Hello",))]))
    assert said(answer) == "Short."
    assert len(server.asked[1].messages) == 2


async def test_pictures_are_shown_to_the_model(server: ModelServer) -> None:
    sent = turn("What is this?", attachments=(attachment("image/png", PICTURE),))
    async with brain_at(server) as brain:
        await brain.answer(sent)
    (url,) = server.asked[0].pictures
    assert url == f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    assert server.asked[0].question == "What is this?"


async def test_other_attachments_are_told_in_words(server: ModelServer) -> None:
    sent = turn("", attachments=(attachment("audio/amr", b"#!AMR"), attachment("evil; ]x[/y", b"")), missing=2)
    async with brain_at(server) as brain:
        await brain.answer(sent)
    assert server.asked[0].question == (
        "[an attachment of type audio/amr]\n[an attachment of type unknown]\n"
        "[2 more attachments that could not be loaded]"
    )


async def test_no_more_pictures_are_shown_than_a_model_takes(server: ModelServer) -> None:
    async with brain_at(server) as brain:
        await brain.answer(turn(attachments=(attachment("image/jpeg", PICTURE),) * 6))
    assert len(server.asked[0].pictures) == 4
    assert server.asked[0].question.count("that you cannot see") == 2


@pytest.mark.parametrize("told_size", [4_000_000, 10])
async def test_no_larger_picture_is_shown_than_a_model_takes(server: ModelServer, told_size: int) -> None:
    large = attachment("image/gif", bytes(4_000_000), size=told_size)
    async with brain_at(server) as brain:
        await brain.answer(turn(attachments=(large,)))
    assert not server.asked[0].pictures
    assert server.asked[0].question.endswith("[a picture of type image/gif that you cannot see]")


async def test_a_picture_that_cannot_be_read_is_told_of(server: ModelServer) -> None:
    async def fail() -> bytes:
        raise OSError("the bucket is gone")

    lost = Attachment(content_type="image/png", size=10, read=fail)
    async with brain_at(server) as brain:
        await brain.answer(turn("Look", attachments=(lost,)))
    assert server.asked[0].question == "Look\n[a picture of type image/png that you cannot see]"


async def test_pictures_stay_here_where_the_file_says_so(server: ModelServer) -> None:
    async with brain_at(server, agent_file(llm={"images": False})) as brain:
        await brain.answer(turn("Look", attachments=(attachment("image/png", PICTURE),)))
    assert not server.asked[0].pictures
    assert server.asked[0].question == "Look\n[an attachment of type image/png]"


async def test_a_model_that_takes_no_pictures_is_asked_without_them(server: ModelServer) -> None:
    server.then(refuses(400, "invalid_request_error", "image input is not supported"), says("Please describe it."))
    async with brain_at(server) as brain:
        answer = await brain.answer(turn("Look", attachments=(attachment("image/png", PICTURE),)))
    assert said(answer) == "Please describe it."
    assert len(server.asked) == 2
    assert not server.asked[1].pictures
    assert "[a picture of type image/png that you cannot see]" in server.asked[1].question


async def test_what_a_model_thinks_aloud_is_not_said(server: ModelServer) -> None:
    server.then(says("<think>They ask about hours.\nNine.</think>\n\nAt nine."))
    async with brain_at(server) as brain:
        assert said(await brain.answer(turn())) == "At nine."


async def test_a_model_that_only_thought_is_asked_again_with_more_room(server: ModelServer) -> None:
    server.then(says("<think>They ask about", finish="length"), says("At nine."))
    async with brain_at(server) as brain:
        answer = await brain.answer(turn())
    assert said(answer) == "At nine."
    assert [asked.body["max_tokens"] for asked in server.asked] == [400, 1600]
    assert answer.usage == Usage(model="test-model", input_tokens=200, output_tokens=40)


async def test_an_answer_that_was_cut_off_ends_in_an_ellipsis(server: ModelServer) -> None:
    server.then(says("We open at nine, and on Satur", finish="length"))
    async with brain_at(server) as brain:
        assert said(await brain.answer(turn())) == "We open at nine, and on…"


async def test_a_refusal_is_said_in_the_models_words(server: ModelServer) -> None:
    server.then(says("", refusal="I can't help with that."))
    async with brain_at(server) as brain:
        assert said(await brain.answer(turn())) == "I can't help with that."


async def test_an_empty_answer_is_asked_for_once_more(server: ModelServer) -> None:
    server.then(says(""), says("At nine."))
    async with brain_at(server) as brain:
        assert said(await brain.answer(turn())) == "At nine."


async def test_two_empty_answers_are_a_failure_that_has_its_cost(server: ModelServer) -> None:
    server.otherwise = says("  ", usage=(50, 1))
    async with brain_at(server) as brain:
        with pytest.raises(BrainFailed, match="answered nothing, twice") as failed:
            await brain.answer(turn())
    assert failed.value.usage == Usage(model="test-model", input_tokens=100, output_tokens=2)


async def test_the_first_model_of_the_server_is_asked_where_none_is_named(server: ModelServer) -> None:
    server.models = ("llama3.2:3b", "other")
    async with brain_at(server) as brain:
        assert server.times_listed == 0, "the start asks nothing of the server"
        for _ in range(2):
            await brain.answer(turn())
    assert [asked.body["model"] for asked in server.asked] == ["llama3.2:3b"] * 2
    assert server.times_listed == 1


async def test_a_server_that_could_not_list_its_models_is_asked_again(server: ModelServer) -> None:
    server.listed = refuses(503)
    async with brain_at(server) as brain:
        with pytest.raises(BrainFailed, match=r"failed \(503\)"):
            await brain.answer(turn())
        server.listed = None
        assert said(await brain.answer(turn())) == "Hello."


async def test_a_named_model_is_asked_with_the_key_of_its_server(server: ModelServer) -> None:
    environment = {"PARLEY_MODEL": "qwen3:8b", "PARLEY_LLM_API_KEY": "k-1", "OPENAI_API_KEY": "never"}
    async with brain_at(server, settings=environment) as brain:
        await brain.answer(turn())
    assert server.asked[0].body["model"] == "qwen3:8b"
    assert server.asked[0].headers["Authorization"] == "Bearer k-1"
    assert server.times_listed == 0


async def test_openais_models_are_asked_by_openais_rules(server: ModelServer) -> None:
    environment = {"PARLEY_MODEL": "openai:gpt-5", "OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.base_url}
    async with made(agent_file(), Path(), environment) as brain:
        assert said(await brain.answer(turn())) == "Hello."
    (asked,) = server.asked
    assert asked.body["model"] == "gpt-5"
    assert asked.body["max_completion_tokens"] == 400
    assert asked.headers["Authorization"] == "Bearer sk-1"


async def test_anthropics_models_answer_and_call_tools_too(server: ModelServer) -> None:
    file = agent_file(handoff={"words": ["HUMAN"], "reply": ""})
    environment = {
        "PARLEY_MODEL": "anthropic:claude-test",
        "ANTHROPIC_API_KEY": "sk-ant",
        "ANTHROPIC_BASE_URL": server.url,
    }
    server.then(calls(Call("hand_over_to_a_person")), says("A person comes.", usage=(30, 5)))
    async with made(file, Path(), environment) as brain:
        answer = await brain.answer(turn(past=[Exchange(text="Hi", answers=("Hello",))]))
    assert said(answer) == "A person comes."
    assert answer.hand_over
    assert answer.usage == Usage(model="claude-test", input_tokens=130, output_tokens=25)
    assert [asked.path for asked in server.asked] == ["/v1/messages"] * 2
    assert server.asked[0].headers["Authorization"] == "Bearer sk-ant"
    assert server.asked[0].body["max_tokens"] == 400
    assert "stranger" in server.asked[0].system


@pytest.mark.parametrize(("thinking", "effort"), [(False, "minimal"), (True, None)])
async def test_a_model_that_thinks_first_does_so_only_where_it_may(
    server: ModelServer, thinking: bool, effort: str | None
) -> None:
    environment = {"PARLEY_MODEL": "openai:gpt-5", "OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": server.base_url}
    async with made(agent_file(llm={"thinking": thinking}), Path(), environment) as brain:
        await brain.answer(turn())
    assert server.asked[0].body.get("reasoning_effort") == effort


async def test_a_server_that_tells_no_usage_is_not_free(server: ModelServer) -> None:
    server.otherwise = says("At nine. " * 30, usage=(0, 0))
    past = [Exchange(text="word " * 60, answers=("word " * 60,))]
    async with brain_at(server) as brain:
        short, long = [(await brain.answer(turn(past=told))).usage for told in ((), past)]
    assert short is not None
    assert long is not None
    assert 60 < short.output_tokens == long.output_tokens < 120
    assert 200 < short.input_tokens < long.input_tokens < 1500
