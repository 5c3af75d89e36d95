"""``docs/webhook-brain.md`` and the schemas against the code."""

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

import parley_brains.webhook
from parley_brains.brain import Attachment, Exchange, File, Kind
from parley_brains.webhook import client
from parley_brains.webhook.answer import read_answer, said
from parley_brains.webhook.choices import MOST_MEMORY_BYTES
from parley_brains.webhook.connections import MOST_CONNECTIONS
from parley_brains.webhook.elements import Reader
from parley_brains.webhook.question import ask, encode
from parley_brains.webhook.schemas import schemas
from parley_brains.webhook.settings import Form, Webhook
from parley_brains.webhook.signing import read_secrets, signed_headers
from unit.brains.webhook.turns import a_turn

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "webhook-brain.md").read_text(encoding="utf-8")
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmno").decode()
BODY = '{"texts": ["naïve 👋"]}'.encode()


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


async def encoded(settings: Webhook) -> Any:
    async def unread() -> bytes:
        raise AssertionError("nobody asked for it")

    async def past(_most: int = 20) -> list[Exchange]:
        return [Exchange(text="Hi", answers=("Hello! What can I do for you?",))]

    shown = json.loads(example("json question"))
    turn = a_turn(
        *shown["texts"],
        key=shown["turn"],
        conversation=shown["conversation"],
        attachments=(Attachment(content_type="image/jpeg", size=48211, read=unread),),
        past=past,
        memory={"language": "en"},
    )
    return json.loads(encode(await ask(turn, settings), settings.form))


async def test_the_question_of_the_page_is_what_is_sent() -> None:
    assert json.loads(example("json question")) == await encoded(Webhook(past=1))


async def test_the_question_to_rasa_of_the_page_begins_what_is_sent() -> None:
    shown, sent = json.loads(example("json rasa")), await encoded(Webhook(form=Form.RASA))
    assert shown["metadata"].items() <= sent.pop("metadata").items()
    assert {**shown, "metadata": None} == {**sent, "metadata": None}


def test_the_answer_of_the_page_is_understood() -> None:
    body = example("json answer").encode()
    by_sms, by_whatsapp = (
        said(read_answer(body, Reader(kind=kind, most_characters=1600)), a_turn(kind=kind)) for kind in Kind
    )
    assert [message.text for message in by_sms.messages] == [
        "Your order left us **yesterday**.",
        "See you!",
        "It looks like this.",
        "Shall I tell you when it is there?\n\n1. Yes, please\n2. No, thanks",
    ]
    assert by_whatsapp.messages[1].text == "See you! 👋"
    assert by_sms.messages[2].files == (
        File(source="https://shop.example.com/parcel.jpg", content_type="image/jpeg"),
    )
    assert by_sms.memory is not None
    assert by_sms.memory["order"] == "4711"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_schema_is_that_of_the_code(name: str) -> None:
    stored = json.loads((DOCS / "schemas" / name).read_text(encoding="utf-8"))
    assert stored == json.loads(msgspec.json.encode(schemas()[name])), (
        "write it: .venv/bin/python -m parley_brains.webhook.schemas docs/schemas"
    )
    assert f"(schemas/{name})" in PAGE


def test_the_question_of_the_page_has_all_fields_of_the_schema() -> None:
    question = schemas()["webhook-question.json"]["$defs"]["Question"]
    assert list(json.loads(example("json question"))) == list(question["properties"])


def test_the_page_names_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    assert set(rows) == set(Webhook.__struct_fields__)
    defaults = Webhook()
    for name in ("request_timeout_s", "retries", "past", "inline_bytes"):
        assert float(rows[name]) == getattr(defaults, name)
    assert rows["form"] == f'`"{defaults.form}"`'


def test_the_page_knows_the_limits() -> None:
    for limit in (client.MOST_BYTES, MOST_MEMORY_BYTES, MOST_CONNECTIONS):
        assert f"{limit:,}" in PAGE


def test_every_reason_of_the_page_is_one_of_the_code() -> None:
    sources = Path(parley_brains.webhook.__path__[0]).glob("*.py")
    code = " ".join(path.read_text(encoding="utf-8") for path in sources)
    reasons = re.findall(r"^\| [^|]+ \| [^|]+ \| `([^`]+)` \|$", PAGE, re.MULTILINE)
    assert len(reasons) == 17
    for reason in reasons:
        words = re.sub(r"answered \d+", "answered {status}", reason).removeprefix("messages[1].url ")
        assert words in code, reason


OTHER = "whsec_" + base64.b64encode(b"nmlkjihgfedcba9876543210").decode()
Sent = tuple[dict[str, str], bytes]


def sent() -> dict[str, tuple[Sent, bool]]:
    """Requests that arrive now, and whether each is from Parley."""
    now = int(time.time())
    ours, others = signed(SECRET, now), signed(OTHER, now)
    both = f"{others['webhook-signature']} {ours['webhook-signature']}"
    return {
        "from Parley": ((ours, BODY), True),
        "signed by two": (({**ours, "webhook-signature": both}, BODY), True),
        "another secret": ((others, BODY), False),
        "another body": ((ours, BODY + b" "), False),
        "another turn": (({**ours, "webhook-id": "l"}, BODY), False),
        "another version": (({**ours, "webhook-signature": ours["webhook-signature"][1:]}, BODY), False),
        "an old request": ((signed(SECRET, now - 400), BODY), False),
        "one from the future": ((signed(SECRET, now + 400), BODY), False),
        "no headers at all": (({}, BODY), False),
        **{f"no {name}": (({**ours, name: ""}, BODY), False) for name in ours},
        **{f"{name} left out": (({k: v for k, v in ours.items() if k != name}, BODY), False) for name in ours},
        "a time that is none": (({**ours, "webhook-timestamp": "soon"}, BODY), False),
        "a signature that is no ASCII": (({**ours, "webhook-signature": "v1,é"}, BODY), False),
    }


def spellings() -> list[str]:
    """One secret as operators write it: with what fills up base64, and without."""
    assert SECRET.endswith("=")
    return [SECRET, SECRET.rstrip("=")]


def signed(secret: str, at_s: int) -> dict[str, str]:
    return signed_headers(read_secrets({"PARLEY_WEBHOOK_SECRET": secret}, required=True), "k", at_s, BODY)


def test_the_pages_python_tells_parley_from_others() -> None:
    scope: dict[str, Any] = {}
    exec(example("python"), scope)
    cases = sent()
    for secret in spellings():
        told = {name: scope["is_from_parley"](secret, *request) for name, (request, _wanted) in cases.items()}
        assert told == {name: wanted for name, (_request, wanted) in cases.items()}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_pages_node_tells_parley_from_others() -> None:
    cases = sent()
    wanted = {name: wanted for name, (_request, wanted) in cases.items()}
    given = [
        [secret, headers, body.decode()] for secret in spellings() for (headers, body), _wanted in cases.values()
    ]
    check = "cases.map(([secret, headers, body]) => isFromParley(secret, headers, Buffer.from(body)))"
    code = f"{example('js')}\nconst cases = {json.dumps(given)};\nconsole.log(JSON.stringify({check}));"
    told = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(told.stdout) == list(wanted.values()) * len(spellings())
