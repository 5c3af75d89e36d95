"""What Rasa's REST channel answers becomes messages for a phone."""

from typing import Any

import msgspec
import pytest

from parley_brains.brain import File, Kind, Said
from parley_brains.webhook.answer import said
from parley_brains.webhook.choices import chosen
from parley_brains.webhook.elements import Misshapen, Reader
from parley_brains.webhook.rasa import read_rasa
from unit.brains.webhook.turns import CONVERSATION, a_turn


def read(*answer: Any, most_characters: int = 1600, **fields: Any) -> Said:
    turn = a_turn(**fields)
    body = msgspec.json.encode([{"recipient_id": CONVERSATION, **one} for one in answer])
    return said(read_rasa(body, turn, Reader(kind=turn.kind, most_characters=most_characters)), turn)


def texts(*answer: Any, **fields: Any) -> list[str]:
    return [message.text for message in read(*answer, **fields).messages]


def test_texts_that_follow_one_another_are_one_message() -> None:
    assert texts({"text": "Hello!"}, {"text": "How are you?"}) == ["Hello!\n\nHow are you?"]


def test_texts_that_one_message_does_not_hold_stay_several_with_all_their_buttons() -> None:
    asked = {"text": "Which of them do you mean, please?", "buttons": [{"title": "This"}, {"title": "That"}]}
    answer = read({"text": "word " * 10}, asked, {"text": "Take your time."}, most_characters=70)
    assert [message.text for message in answer.messages] == [
        "word " * 10,
        "Which of them do you mean, please?\n\n1. This\n2. That\n\nTake your time.",
    ]
    assert chosen(["2"], answer.memory or {}) is not None


def test_null_is_as_if_left_out_in_a_custom_payload_as_well() -> None:
    custom = {"type": None, "text": "Hi", "memory": None, "hand_over": None, "silent": None, "buttons": None}
    assert texts({"custom": {"parley": custom}}, {"custom": {"parley": None}}) == ["Hi"]


def test_an_image_and_an_attachment_are_files_between_the_texts() -> None:
    picture, paper = "https://files.example/cat.png", "https://files.example/terms.pdf"
    answer = read(
        {"text": "Look"},
        {"image": picture},
        {"text": "And"},
        {"attachment": paper},
        {"attachment": {"type": "file", "payload": {"src": paper}}},
        {"text": "Bye"},
    )
    assert [message.text for message in answer.messages] == ["Look", "", "And", "", "", "Bye"]
    assert [file for message in answer.messages for file in message.files] == [
        File(source=picture, content_type="image/png"),
        File(source=paper, content_type="application/pdf"),
        File(source=paper, content_type="application/pdf"),
    ]


def test_buttons_are_numbered_lines_and_the_number_becomes_the_payload() -> None:
    buttons = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny", "type": "postback"}]
    answer = read({"text": "Sure?", "buttons": buttons})
    assert [message.text for message in answer.messages] == ["Sure?\n\n1. Yes\n2. No"]
    taken = chosen(["2"], answer.memory or {})
    assert taken is not None
    assert taken.payload == "/deny"


def test_custom_payloads_of_others_are_never_sent() -> None:
    assert texts({"custom": {"blocks": [{"text": "for Slack"}]}}, {"custom": "text"}, {"text": "Hi"}) == ["Hi"]
    assert read({"custom": {"blocks": []}}) == Said()


def test_a_custom_payload_for_parley_has_words_for_each_kind() -> None:
    custom = {"custom": {"parley": {"sms": "Text 1", "whatsapp": "Tap *1*"}}}
    assert texts(custom) == ["Text 1"]
    assert texts(custom, kind=Kind.WHATSAPP) == ["Tap *1*"]


def test_a_custom_payload_for_parley_may_hand_over_remember_and_be_silent() -> None:
    answer = read({"text": "Moment"}, {"custom": {"parley": {"hand_over": True, "memory": {"order": "7"}}}})
    assert [message.text for message in answer.messages] == ["Moment"]
    assert answer.hand_over
    assert answer.memory == {"order": "7"}
    assert read({"custom": {"parley": {"silent": True}}}) == Said(silent=True)


def test_an_empty_list_says_nothing() -> None:
    assert read() == Said()


def test_what_old_releases_send_as_null_is_not_there() -> None:
    assert texts({"text": "Hi", "image": None, "buttons": None, "attachment": None, "custom": None}) == ["Hi"]


def test_an_answer_for_somebody_else_reaches_nobody() -> None:
    with pytest.raises(
        Misshapen, match=r"^\[1\].recipient_id is not the sender: the answer is for somebody else$"
    ):
        read({"text": "Hi"}, {"recipient_id": "other", "text": "your secret"})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"messages": []}', "the answer is no list"),
        (b"[7]", "[0]: Expected `object`, got `int`"),
        (b'[{"text": 7}]', "[0].text: Expected `str | null`, got `int`"),
        (b'[{"image": "http://files.example/a.png"}]', "[0].image is no https URL"),
        (b'[{"attachment": "/etc/passwd"}]', "[0].attachment is no https URL"),
        (b'[{"custom": {"parley": []}}]', "[0].custom.parley is no object"),
        (b'[{"custom": {"parley": {"silent": 1}}}]', "[0].custom.parley.silent: Expected `bool`, got `int`"),
        (b"nope", "the answer is no JSON"),
    ],
)
def test_what_is_not_as_documented_is_refused_by_the_name_of_the_field(body: bytes, reason: str) -> None:
    with pytest.raises(Misshapen) as refused:
        read_rasa(body, a_turn(), Reader(kind=Kind.SMS, most_characters=1600))
    assert str(refused.value) == reason
