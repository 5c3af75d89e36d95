"""Signatures as Standard Webhooks has them."""

import base64
import time

from harness.bot_server import SECRET, refusal_of
from parley_brains.webhook.signing import read_secrets, signed_headers

# Made with openssl: printf 'msg_1.1700000000.{"a":"é"}' | openssl dgst -sha256 -hmac k…k -binary | base64
KNOWN = "v1,+pT1EW/QhLjny+qcQhbf1IbHESb0Gs2XUEDOIwNmkrk="


def test_a_known_signature() -> None:
    headers = signed_headers([b"k" * 32], "msg_1", 1_700_000_000, '{"a":"é"}'.encode())
    assert headers == {"webhook-id": "msg_1", "webhook-timestamp": "1700000000", "webhook-signature": KNOWN}


def test_two_secrets_sign_twice() -> None:
    one, two = (signed_headers([secret], "k", 1, b"{}")["webhook-signature"] for secret in (b"1" * 24, b"2" * 24))
    assert signed_headers([b"1" * 24, b"2" * 24], "k", 1, b"{}")["webhook-signature"] == f"{one} {two}"


def test_without_a_secret_there_is_an_id_and_no_signature() -> None:
    assert signed_headers([], "k", 1, b"{}") == {"webhook-id": "k", "webhook-timestamp": "1"}


def test_a_secret_is_read_with_and_without_its_prefix_and_padding() -> None:
    encoded = base64.b64encode(b"x" * 25).decode()
    for written in (f"whsec_{encoded}", encoded, encoded.rstrip("=")):
        assert read_secrets({"PARLEY_WEBHOOK_SECRET": written}, required=True) == (b"x" * 25,)


def test_the_bot_of_the_tests_refuses_what_was_changed_on_the_way() -> None:
    secrets = read_secrets({"PARLEY_WEBHOOK_SECRET": SECRET}, required=True)
    now = int(time.time())
    headers = signed_headers(secrets, "k", now, b"{}")
    assert refusal_of(SECRET, headers, b"{}") == ""
    assert refusal_of(SECRET, headers, b"[]") == "signed by somebody else"
    assert refusal_of(SECRET, {**headers, "webhook-id": "l"}, b"{}") == "signed by somebody else"
    assert refusal_of(SECRET, {**headers, "webhook-timestamp": str(now - 1)}, b"{}") == "signed by somebody else"
    assert refusal_of(SECRET, signed_headers(secrets, "k", now - 301, b"{}"), b"{}") == "too old or too new"
    assert refusal_of(SECRET, {}, b"{}") == "no header 'webhook-id'"
