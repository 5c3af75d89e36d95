"""Where the bot is and what opens it: every mistake is one sentence, and no secret stands in any."""

import base64

import pytest

from parley_brains.webhook.bot import Bot, read_bot
from parley_brains.webhook.settings import Form, Webhook
from parley_common.settings import SettingsError

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ENVIRONMENT = {"PARLEY_WEBHOOK_SECRET": SECRET, "KEY": "sesame", "HOST": "bot.example"}


def bot(url: str = "https://bot.example/turns", **fields: object) -> Bot:
    environment = fields.pop("environment", ENVIRONMENT)
    return read_bot(Webhook(url=url, **fields), environment)  # type: ignore[arg-type]


def refusal(url: str = "https://bot.example/turns", **fields: object) -> str:
    with pytest.raises(SettingsError) as refused:
        bot(url, **fields)
    return str(refused.value)


def test_the_environments_address_comes_first() -> None:
    elsewhere = {**ENVIRONMENT, "PARLEY_WEBHOOK_URL": "http://127.0.0.1:5000/other"}
    assert bot(environment=elsewhere).url == "http://127.0.0.1:5000/other"
    assert bot("", environment=elsewhere).url == "http://127.0.0.1:5000/other"


def test_address_and_headers_are_filled_from_the_environment() -> None:
    found = bot("https://${HOST}/turns?key=${KEY}", headers={"Authorization": "Bearer ${KEY}"})
    assert found.url == "https://bot.example/turns?key=sesame"
    assert found.headers == {"Authorization": "Bearer sesame"}


def test_what_is_told_of_the_address_holds_no_key() -> None:
    found = bot("https://me:pass@bot.example:8443/turns?key=1#part")
    assert found.origin == "https://bot.example:8443"
    assert found.url == "https://me:pass@bot.example:8443/turns?key=1"
    assert "pass" not in repr(found)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://rasa:5005", "http://rasa:5005/webhooks/rest/webhook"),
        ("http://rasa:5005/", "http://rasa:5005/webhooks/rest/webhook"),
        ("http://rasa:5005/?token=x", "http://rasa:5005/webhooks/rest/webhook?token=x"),
        ("http://rasa:5005/webhooks/mine/webhook", "http://rasa:5005/webhooks/mine/webhook"),
    ],
)
def test_an_address_of_rasa_without_a_path_gets_that_of_its_rest_channel(url: str, wanted: str) -> None:
    assert bot(url, form=Form.RASA).url == wanted


@pytest.mark.parametrize(
    "url",
    ["bot.example/turns", "ftp://bot.example", "https://", "https://a b/", "https://h:x/", "https://[::1/", "/x"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert refusal(url).startswith("[webhook] url is no address")


def test_no_address_at_all_is_refused_with_both_ways_to_give_one() -> None:
    assert refusal("") == "no bot to ask: write url into [webhook] of the agent file, or set PARLEY_WEBHOOK_URL"


def test_a_variable_that_is_not_set_is_named() -> None:
    assert (
        refusal(headers={"X-Key": "${NOPE}"})
        == "[webhook] headers: X-Key names ${NOPE}: set it in the environment"
    )
    assert refusal("https://${NOPE}/") == "[webhook] url names ${NOPE}: set it in the environment"


@pytest.mark.parametrize(
    "name", ["webhook-id", "Webhook-Signature", "HOST", "Content-Type", "Idempotency-Key", "traceparent", "Accept"]
)
def test_the_headers_of_parley_are_not_the_operators(name: str) -> None:
    assert refusal(headers={name: "x"}) == f"[webhook] headers: {name} is written by Parley; leave it out"


def test_a_header_can_smuggle_no_other() -> None:
    smuggling = {**ENVIRONMENT, "KEY": "a\r\nX-Other: b"}
    assert "no header may have" in refusal(headers={"X-Key": "${KEY}"}, environment=smuggling)
    assert "is no name of a header" in refusal(headers={"X-Key:": "a"})


def test_without_a_secret_a_bot_is_not_asked() -> None:
    assert refusal(environment={}).startswith("PARLEY_WEBHOOK_SECRET is not set: the bot cannot tell")


def test_rasa_is_asked_without_a_secret_and_signed_to_with_one() -> None:
    assert bot(form=Form.RASA, environment={}).secrets == ()
    assert bot(form=Form.RASA).secrets == (bytes(range(32)),)


def test_while_the_secret_is_changed_there_are_two() -> None:
    other = base64.b64encode(b"n" * 24).decode()
    assert bot(environment={**ENVIRONMENT, "PARLEY_WEBHOOK_SECRET_NEXT": other}).secrets == (
        bytes(range(32)),
        b"n" * 24,
    )


@pytest.mark.parametrize("name", ["PARLEY_WEBHOOK_SECRET", "PARLEY_WEBHOOK_SECRET_NEXT"])
@pytest.mark.parametrize(
    ("secret", "why"),
    [
        pytest.param("correct horse battery staple", "is not whsec_ and base64 after it", id="words"),
        pytest.param("whsec_ÄÖ", "is not whsec_ and base64 after it", id="no ASCII"),
        pytest.param("whsec_" + base64.b64encode(b"x" * 23).decode(), "holds 23 bytes", id="too short"),
        pytest.param("whsec_" + base64.b64encode(b"x" * 65).decode(), "holds 65 bytes", id="too long"),
    ],
)
def test_a_secret_that_libraries_cannot_verify_with_is_refused(name: str, secret: str, why: str) -> None:
    told = refusal(environment={**ENVIRONMENT, name: secret})
    assert told.startswith(f"{name} {why}")
    assert "openssl rand" in told
    assert secret not in told
