"""What the bot answers becomes messages for a phone, or a reason that names the field."""

from typing import Any

import msgspec
import pytest

from parley_brains.answering import sendable
from parley_brains.brain import File, Kind, Message, Said
from parley_brains.webhook.answer import read_answer, said
from parley_brains.webhook.choices import MEMORY_KEY, chosen
from parley_brains.webhook.elements import Misshapen, Reader
from unit.brains.webhook.turns import a_turn

BIG = "https://files.example/a.png?size=big"


def read(answer: Any, most_characters: int = 1600, **fields: Any) -> Said:
    turn = a_turn(**fields)
    reader = Reader(kind=turn.kind, most_characters=most_characters)
    body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    return said(read_answer(body, reader), turn)


def texts(*messages: Any, kind: Kind = Kind.SMS) -> list[str]:
    return [message.text for message in read({"messages": messages}, kind=kind).messages]


def refusal(answer: Any, **fields: Any) -> str:
    with pytest.raises(Misshapen) as refused:
        read(answer, **fields)
    return str(refused.value)


def test_texts_are_messages_in_their_order() -> None:
    assert texts("one", {"type": "text", "text": "two"}, {"text": "three"}) == ["one", "two", "three"]


def test_a_list_alone_is_taken_for_the_messages() -> None:
    assert read(["one", {"text": "two"}]).messages == (Message(text="one"), Message(text="two"))


def test_each_kind_has_its_own_wording() -> None:
    element = {"text": "both", "sms": "by SMS", "whatsapp": "by *WhatsApp*"}
    assert texts(element) == ["by SMS"]
    assert texts(element, kind=Kind.WHATSAPP) == ["by *WhatsApp*"]
    assert texts({"text": "both", "whatsapp": "by WhatsApp"}) == ["both"]
    assert texts({"whatsapp": "only there"}, "to all") == ["to all"]
    assert texts({"text": "only there", "sms": ""}, "to all") == ["to all"]


def test_a_file_goes_with_its_words() -> None:
    answer = {"messages": [{"type": "image", "url": BIG, "text": "Look", "whatsapp": "Look _here_"}]}
    assert read(answer).messages == (Message(text="Look", files=(File(source=BIG, content_type="image/png"),)),)
    assert read(answer, kind=Kind.WHATSAPP).messages[0].text == "Look _here_"


@pytest.mark.parametrize(
    ("element", "content_type"),
    [
        ({"type": "image", "url": "https://a.example/x"}, "image/jpeg"),
        ({"type": "video", "url": "https://a.example/x"}, "video/mp4"),
        ({"type": "audio", "url": "https://a.example/x"}, "audio/mpeg"),
        ({"type": "file", "url": "https://a.example/x"}, "application/octet-stream"),
        ({"type": "file", "url": "https://a.example/x.pdf"}, "application/pdf"),
        ({"type": "file", "url": "https://a.example/x.pdf", "content_type": "text/vcard"}, "text/vcard"),
    ],
)
def test_the_type_of_a_file_is_said_or_guessed(element: dict[str, str], content_type: str) -> None:
    ((file,),) = (message.files for message in read({"messages": [element]}).messages)
    assert file == File(source=element["url"], content_type=content_type)


@pytest.mark.parametrize(
    "element",
    [
        {"type": "pause", "seconds": 3},
        {"type": "typing", "text": "…"},
        {"type": "carousel", "text": 5, "url": None},
        {"type": "", "text": "x"},
        {"pause": 3},
        {},
        {"text": "  \n "},
        "",
    ],
)
def test_what_a_phone_does_not_show_is_left_out(element: Any) -> None:
    assert texts("before", element, "after") == ["before", "after"]
    assert read({"messages": [element]}) == Said()


def test_buttons_are_numbered_through_the_whole_answer_and_remembered() -> None:
    answer = read(
        {
            "messages": [
                {"text": "Size?", "buttons": ["Small", {"title": "Large", "payload": "/size L"}]},
                {"text": "Colour?", "buttons": [{"title": "Red"}]},
            ]
        }
    )
    assert [message.text for message in answer.messages] == ["Size?\n\n1. Small\n2. Large", "Colour?\n\n3. Red"]
    assert answer.memory is not None
    taken = [chosen([number], answer.memory) for number in ("1", "2", "3")]
    assert [choice.payload for choice in taken if choice] == ["Small", "/size L", "Red"]


def offered(said: Said) -> list[str]:
    """The payloads of all numbers that people can text back."""
    taken = [chosen([str(number)], said.memory or {}) for number in range(1, 40)]
    return [choice.payload for choice in taken if choice]


def test_words_that_are_too_long_leave_room_for_what_to_choose() -> None:
    answer = read({"messages": [{"text": "word " * 400, "buttons": ["Small", "Large"]}]}, 100)
    (text,) = (message.text for message in sendable(answer, most_characters=100))
    assert text.startswith("word word")
    assert text.endswith("\n\n1. Small\n2. Large")
    assert offered(answer) == ["Small", "Large"]


def test_choices_that_one_message_does_not_hold_go_on_in_the_next() -> None:
    titles = [f"Choice with a long title, the {number}th" for number in range(1, 7)]
    answer = read({"messages": [{"text": "Which?", "buttons": titles}]}, 100)
    sent = [message.text for message in sendable(answer, most_characters=100)]
    assert "\n".join(sent).splitlines()[2:] == [f"{n}. {title}" for n, title in enumerate(titles, 1)]
    assert sent[0].startswith("Which?\n\n1. ")
    assert offered(answer) == titles


def test_a_question_is_not_lost_where_its_choices_fill_the_message() -> None:
    answer = read({"messages": [{"text": "Which of these?", "buttons": ["x" * 46, "y" * 46]}]}, 100)
    sent = [message.text for message in sendable(answer, most_characters=100)]
    assert sent == [f"Which of these?\n\n1. {'x' * 46}", f"2. {'y' * 46}"]


def test_a_title_that_is_too_long_is_cut_and_can_be_chosen() -> None:
    answer = read({"messages": [{"text": "Which?", "buttons": ["long " * 30, "Short"]}]}, 60)
    sent = "\n".join(message.text for message in sendable(answer, most_characters=60))
    assert "1. long long" in sent
    assert "2. Short" in sent
    assert len(offered(answer)) == 2


def test_buttons_of_messages_that_are_not_sent_cannot_be_chosen() -> None:
    asked = [{"text": f"{number}?", "buttons": [f"button {number}"]} for number in range(1, 13)]
    answer = read({"messages": ["", *asked]})
    assert len(answer.messages) == 10
    assert offered(answer) == [f"button {number}" for number in range(1, 11)]


def test_null_is_as_if_left_out() -> None:
    element = dict.fromkeys(("type", "sms", "whatsapp", "url", "content_type", "buttons"))
    button = {"title": "Later", "payload": None, "url": None}
    answer = {"messages": [{"text": "a", **element}, {"text": None, "buttons": [button]}]}
    nulls = {"memory": {"order": "7", "name": None}, "hand_over": None, "silent": None}
    found = read({**answer, **nulls})
    assert [message.text for message in found.messages] == ["a", "1. Later"]
    assert (found.hand_over, found.silent) == (False, False)
    assert found.memory is not None
    assert found.memory["order"] == "7"
    assert "name" not in found.memory
    assert refusal({"messages": None, **nulls}) == "the answer has none of messages, hand_over and silent"
    assert refusal({"messages": [{"buttons": [{"title": None}]}]}).startswith(
        "messages[0].buttons[0]: Object miss"
    )


def test_a_button_that_is_a_link_is_a_line_with_it() -> None:
    buttons = [{"title": "Our\nshop", "url": "https://shop.example/a_b"}, {"title": "Later", "payload": "later"}]
    (text,) = texts({"text": "Buy?", "buttons": buttons})
    assert text == "Buy?\n\nOur shop: https://shop.example/a_b\n\n1. Later"
    assert texts({"buttons": ["Yes"]}) == ["1. Yes"]


def test_what_to_remember_is_kept_and_what_is_not_said_stays() -> None:
    assert read({"messages": ["x"], "memory": {"order": "7"}}).memory == {"order": "7"}
    assert read({"messages": ["x"], "memory": {}}, memory={"order": "7"}).memory == {}
    assert read({"messages": ["x"]}, memory={"order": "7"}).memory is None


def test_a_person_may_be_asked_for_with_and_without_words() -> None:
    assert read({"messages": ["Moment"], "hand_over": True}).hand_over
    assert read({"hand_over": True}) == Said(hand_over=True)
    assert not read({"messages": ["x"]}).hand_over


def test_saying_nothing_and_meaning_it_are_two_things() -> None:
    assert read({"messages": []}) == Said()
    assert read({"messages": [], "silent": True}) == read({"silent": True}) == Said(silent=True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the answer is no JSON"),
        (b"<html>Error 5550100123</html>", "the answer is no JSON"),
        (b'{"messages": ["\xff"]}', "the answer is no JSON"),
        (b"[" * 100_000, "the answer is nested too deeply"),
        ("hello", "answer: Expected `object`, got `str`"),
        (None, "answer: Expected `object`, got `null`"),
        ({}, "the answer has none of messages, hand_over and silent"),
        ({"error": "no"}, "the answer has none of messages, hand_over and silent"),
        ({"messages": "hello"}, "answer.messages: Expected `array | null`, got `str`"),
        ({"messages": ["a", 7]}, "messages[1] is neither an object nor a string"),
        ({"messages": [{"type": 7}]}, "messages[0].type is no string"),
        ({"messages": [{"text": 7}]}, "messages[0].text: Expected `str`, got `int`"),
        ({"messages": [{"text": "a", "buttons": [{"payload": "x"}]}]}, "messages[0].buttons[0]: Object missing"),
        ({"messages": [{"type": "image"}]}, "messages[0].url is missing"),
        ({"messages": ["a", {"type": "image", "url": "/etc/passwd"}]}, "messages[1].url is no https URL"),
        ({"messages": ["x"], "memory": {"order": 7}}, "answer.memory[...]: Expected `str`, got `int`"),
        ({"messages": ["x"], "memory": {MEMORY_KEY: "[]"}}, "memory holds parley.choices, which is a name"),
        ({"messages": ["x"], "memory": {"a": "é" * 2048}}, "memory and buttons take 4097 bytes, at most 4096 fit"),
        ({"messages": ["x"], "hand_over": "yes"}, "answer.hand_over: Expected `bool`, got `str`"),
        (
            {"messages": [{"type": "file", "url": BIG, "content_type": "a b"}]},
            "messages[0].content_type is no MIME type",
        ),
        (
            {"messages": [{"buttons": [{"title": "x", "url": "javascript:alert(1)"}]}]},
            "messages[0].buttons[0].url is no https URL",
        ),
    ],
)
def test_what_is_not_as_documented_is_refused_by_the_name_of_the_field(answer: Any, reason: str) -> None:
    assert refusal(answer).startswith(reason)


def test_buttons_that_memory_has_no_room_for_are_refused() -> None:
    many = [{"title": "x" * 100, "payload": "y" * 100}] * 20
    assert refusal({"messages": [{"text": "?", "buttons": many}]}).startswith("memory and buttons take")


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/a.png",
        "file:///etc/passwd",
        "agent.toml",
        "parley:name",
        "data:image/png;base64,AAAA",
        "https://",
        "https:///a.png",
        "https://me@files.example/a.png",
        "https://files.example/a b.png",
        "https://files.example/\n.png",
        "https://files.example/ä.png",
        "https://[::1/a.png",
        "https://files.example/" + "a" * 2048,
    ],
)
def test_only_a_file_behind_https_is_sent(url: str) -> None:
    told = refusal({"messages": [{"type": "image", "url": url}]})
    assert told in ("messages[0].url is no https URL", "messages[0].url is longer than 2048 characters")
