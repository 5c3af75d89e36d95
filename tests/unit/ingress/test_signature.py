"""Webhook signatures: what Twilio signs is accepted, and nothing else. Twilio's own library is the oracle."""

import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from parley_ingress.signature import Algorithm, Secrets, SignedRequest, Verdict, verify

TOKEN = "12345"
SECRETS = Secrets(auth_tokens=(TOKEN,), shared_keys=(("webhooks_sharedkey_1", "shared"),))
SETTINGS = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
URL = "https://example.com/webhooks/twilio/sms?foo=1&bar=2"
Fields = Sequence[tuple[str, str]]
CALL = [("Digits", "1234"), ("CallSid", "CA1234567890ABCDE"), ("To", "+18005551212")]
TEXT = [
    ("MessageSid", "SM" + "0" * 32),
    ("Body", " Hi, 50% off?\n🎉 & <more> "),
    ("ToCity", ""),
    ("ToZip", ""),
    ("Reason", "a"),
    ("ReasonDetail", "b"),
    ("lower", "case sorts last"),
]


class MultiDict(dict[str, list[str]]):
    """Repeated fields as the oracle reads them."""

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        for name, value in fields:
            self.setdefault(name, []).append(value)

    def getall(self, name: str) -> list[str]:
        return self[name]


def oracle(url: str, fields: Fields = (), *, secret: str = TOKEN, algorithm: str = "HMAC_SHA1") -> str:
    signature = RequestValidator(secret).compute_signature(url, MultiDict(fields), algorithm)
    assert isinstance(signature, str)
    return signature


def signed(url: str = URL, fields: Fields | None = TEXT, *, as_seen: str | None = None) -> SignedRequest:
    """A request that Twilio signed for ``url`` and that we see under ``as_seen``."""
    return SignedRequest(url=as_seen or url, signature=oracle(url, fields or ()), fields=fields)


def signed_by_key(**changes: str) -> SignedRequest:
    signature = oracle(URL, TEXT, secret=changes.pop("secret", "shared"), algorithm="HMAC_SHA256")
    settings = changes.pop("settings", SETTINGS)
    return SignedRequest(url=URL, fields=TEXT, signature=signature, settings=settings)


def with_hash(body: bytes, url: str = "https://example.com/events") -> str:
    return f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"


@pytest.mark.parametrize(
    ("url", "caller", "signature"),
    [
        pytest.param("example.com", "+14158675310", "L/OH5YylLD5NRKLltdqwSvS0BnU=", id="in today's docs"),
        pytest.param("mycompany.com", "+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", id="in older docs"),
        pytest.param("mycompany.com", "+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", id="in the libraries"),
    ],
)
def test_twilios_published_examples_are_genuine(url: str, caller: str, signature: str) -> None:
    fields = [*CALL, ("From", caller), ("Caller", caller)]
    request = SignedRequest(url=f"https://{url}/myapp.php?foo=1&bar=2", signature=signature, fields=fields)
    assert verify(request, SECRETS) is Verdict.GENUINE


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(TEXT, id="blank values, spaces, emoji, prefixes of names"),
        pytest.param([*TEXT, ("Body", "second"), ("Body", "second"), ("Body", "A")], id="repeated fields"),
        pytest.param([*TEXT, ("AddedByTwilioTomorrow", "1")], id="an unknown field"),
        pytest.param([("b", "2"), ("a", "1"), ("B", "3")], id="names sort by case"),
        pytest.param([("", "nameless")], id="no name"),
        pytest.param([], id="no fields"),
        pytest.param([("Body", "ß ж 日 \u0000 \u2028")], id="any Unicode"),
    ],
)
def test_every_field_is_signed_as_it_came(fields: Fields) -> None:
    assert verify(signed(URL, fields), SECRETS) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("seen", "of_twilio"),
    [
        pytest.param("https://example.com/a", "https://example.com/a", id="same"),
        pytest.param("https://example.com/a", "https://example.com:443/a", id="port added"),
        pytest.param("https://example.com:443/a", "https://example.com/a", id="port dropped"),
        pytest.param("https://example.com:8443/a", "https://example.com:8443/a", id="own port"),
        pytest.param("https://example.com:8443/a", "https://example.com/a", id="own port dropped"),
        pytest.param("http://example.com/a", "http://example.com:80/a", id="port of http"),
        pytest.param("https://user:p%40ss@example.com/a", "https://example.com/a", id="userinfo"),
        pytest.param("https://user@example.com:8443/a", "https://example.com:8443/a", id="user and port"),
        pytest.param("https://u:p@s@example.com/a@b", "https://example.com/a@b", id="@ in several places"),
        pytest.param("https://[::1]:8443/a", "https://[::1]:8443/a", id="IPv6 with port"),
        pytest.param("https://[::1]:8443/a", "https://[::1]/a", id="IPv6, port dropped"),
        pytest.param("https://[::1]/a", "https://[::1]:443/a", id="IPv6, port added"),
        pytest.param("https://example.com/a#rc=5&rp=all", "https://example.com/a", id="connection overrides"),
        pytest.param("https://example.com/a?b=1#rc=2", "https://example.com/a?b=1", id="overrides after a query"),
        pytest.param("HTTPS://Example.COM/A", "HTTPS://Example.COM/A", id="case kept"),
        pytest.param("https://example.com:443//a/", "https://example.com:443//a/", id="slashes kept"),
        pytest.param("https://example.com", "https://example.com", id="no path"),
        pytest.param("https://example.com/a?", "https://example.com/a?", id="empty query"),
        pytest.param("https://example.com?a=1", "https://example.com?a=1", id="query without path"),
        pytest.param("https://example.com/a?b=%20+%2B", "https://example.com/a?b=%20+%2B", id="escapes kept"),
        pytest.param("https://example.com/a?b=%27c", "https://example.com/a?b='c", id="quote unescaped"),
        pytest.param("https://example.com/a?b='c", "https://example.com/a?b=%27c", id="quote escaped"),
        pytest.param("https://exämple.com/ä?ö=ü", "https://exämple.com/ä?ö=ü", id="Unicode"),
    ],
)
def test_the_url_is_recognised_in_the_forms_twilio_signs(seen: str, of_twilio: str) -> None:
    assert verify(signed(of_twilio, as_seen=seen), SECRETS) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("seen", "of_twilio"),
    [
        pytest.param("https://example.com/a", "http://example.com/a", id="scheme"),
        pytest.param("https://example.com/a", "https://example.org/a", id="host"),
        pytest.param("https://example.com/a", "https://example.com/a/", id="trailing slash"),
        pytest.param("https://example.com/a", "https://example.com/A", id="case of the path"),
        pytest.param("https://example.com/a?b=1&c=2", "https://example.com/a?c=2&b=1", id="order of the query"),
        pytest.param("https://example.com/a?b=%2B", "https://example.com/a?b=+", id="escapes"),
        pytest.param("https://example.com:8443/a", "https://example.com:9443/a", id="another port"),
        pytest.param("https://example.com/a", "https://example.com:8443/a", id="a port nobody configured"),
        pytest.param("https://example.com/%27", "https://example.com/'", id="quotes outside the query"),
    ],
)
def test_another_url_is_refused(seen: str, of_twilio: str) -> None:
    assert verify(signed(of_twilio, as_seen=seen), SECRETS) is Verdict.MISMATCH


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([*TEXT, ("Extra", "")], id="a field added"),
        pytest.param(TEXT[1:], id="a field dropped"),
        pytest.param([field for field in TEXT if field[1]], id="blank fields dropped"),
        pytest.param([(name, value.strip()) for name, value in TEXT], id="values trimmed"),
        pytest.param([(value, name) for name, value in TEXT], id="names and values exchanged"),
    ],
)
def test_changed_fields_are_refused(fields: Fields) -> None:
    assert verify(dataclasses.replace(signed(), fields=fields), SECRETS) is Verdict.MISMATCH


def test_a_get_is_signed_by_its_url_alone() -> None:
    request = SignedRequest(url=URL, signature=oracle(URL), method="GET", fields=[("foo", "1"), ("bar", "2")])
    assert verify(request, SECRETS) is Verdict.GENUINE


def test_the_signature_of_a_get_does_not_vouch_for_a_body() -> None:
    replayed = SignedRequest(url=URL, signature=oracle(URL), fields=None, body=b'{"a": 1}')
    assert verify(replayed, SECRETS) is Verdict.BODY_NOT_SIGNED
    assert verify(dataclasses.replace(replayed, fields=TEXT), SECRETS) is Verdict.MISMATCH


@pytest.mark.parametrize("body", [b"{}", b'{"a": "\xc3\xa4"}', b"\xff\xfe", b""])
def test_a_body_is_signed_by_its_hash_in_the_url(body: bytes) -> None:
    url = with_hash(body)
    assert verify(SignedRequest(url=url, signature=oracle(url), body=body), SECRETS) is Verdict.GENUINE


def test_a_changed_body_is_refused() -> None:
    url = with_hash(b'{"a": 1}')
    request = SignedRequest(url=url, signature=oracle(url), body=b'{"a": 2}')
    assert verify(request, SECRETS) is Verdict.BODY_CHANGED


def test_two_hashes_are_refused() -> None:
    url = with_hash(b"{}") + "&" + with_hash(b"[]").partition("?")[2]
    assert verify(SignedRequest(url=url, signature=oracle(url), body=b"{}"), SECRETS) is Verdict.BODY_CHANGED


@pytest.mark.parametrize("with_fields", [True, False])
def test_a_form_with_a_hash_may_be_signed_either_way(with_fields: bool) -> None:
    body, fields = b"a=1", [("a", "1")]
    url = with_hash(body)
    signature = oracle(url, fields if with_fields else ())
    request = SignedRequest(url=url, signature=signature, fields=fields, body=body)
    assert verify(request, SECRETS) is Verdict.GENUINE
    assert verify(dataclasses.replace(request, body=b"a=2"), SECRETS) is Verdict.BODY_CHANGED


@pytest.mark.parametrize("token", ["old", "new", "töken"])
def test_any_of_the_tokens_may_have_signed(token: str) -> None:
    request = SignedRequest(url=URL, signature=oracle(URL, TEXT, secret=token), fields=TEXT)
    assert verify(request, Secrets(auth_tokens=("old", "new", "töken"))) is Verdict.GENUINE
    assert verify(request, Secrets(auth_tokens=("other",))) is Verdict.MISMATCH


@pytest.mark.parametrize("secrets", [Secrets(), Secrets(auth_tokens=("",), shared_keys=(("k", ""),))])
def test_without_a_secret_nothing_is_genuine(secrets: Secrets) -> None:
    forged = base64.b64encode(hmac.digest(b"", URL.encode(), "sha1")).decode()
    assert verify(SignedRequest(url=URL, signature=forged, fields=()), secrets) is Verdict.MISMATCH
    forged = base64.b64encode(hmac.digest(b"", URL.encode(), "sha256")).decode()
    request = SignedRequest(url=URL, signature=forged, fields=(), settings="key=k,algorithm=HMAC_SHA256")
    assert verify(request, secrets) is not Verdict.GENUINE


@pytest.mark.parametrize("settings", [SETTINGS, "algorithm=hmac_sha256 , key=webhooks_sharedkey_1"])
def test_a_shared_key_signs_with_sha256(settings: str) -> None:
    assert verify(signed_by_key(settings=settings), SECRETS) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        pytest.param("key=other,algorithm=HMAC_SHA256", Verdict.UNKNOWN_KEY, id="a key we lack"),
        pytest.param("algorithm=HMAC_SHA256", Verdict.UNKNOWN_KEY, id="no key"),
        pytest.param("key=webhooks_sharedkey_1,algorithm=MD5", Verdict.WRONG_ALGORITHM, id="an old algorithm"),
        pytest.param("key=webhooks_sharedkey_1", Verdict.MISMATCH, id="no algorithm means SHA1 and the token"),
        pytest.param(SETTINGS + ",algorithm=HMAC_SHA1", Verdict.MALFORMED, id="two algorithms"),
        pytest.param("key=ä\ud800,algorithm=HMAC_SHA256", Verdict.UNKNOWN_KEY, id="no text"),
        pytest.param(",,,", Verdict.MALFORMED, id="only commas"),
        pytest.param("=" * 2_000_000, Verdict.TOO_LARGE, id="megabytes"),
    ],
)
def test_settings_that_fit_no_key_are_refused(settings: str, verdict: Verdict) -> None:
    assert verify(signed_by_key(settings=settings), SECRETS) is verdict


def test_a_token_is_no_shared_key() -> None:
    assert verify(signed_by_key(secret=TOKEN), SECRETS) is Verdict.MISMATCH


def test_a_pinned_algorithm_cannot_be_talked_down() -> None:
    pinned = Algorithm.HMAC_SHA256
    assert verify(signed_by_key(), SECRETS, pinned=pinned) is Verdict.GENUINE
    assert verify(signed(), SECRETS, pinned=pinned) is Verdict.WRONG_ALGORITHM
    downgraded = dataclasses.replace(signed(), settings="key=webhooks_sharedkey_1,algorithm=HMAC_SHA1")
    assert verify(downgraded, SECRETS, pinned=pinned) is Verdict.WRONG_ALGORITHM


def test_a_pinned_sha1_takes_no_shared_key() -> None:
    assert verify(signed_by_key(), SECRETS, pinned=Algorithm.HMAC_SHA1) is Verdict.WRONG_ALGORITHM
    assert verify(signed(), SECRETS, pinned=Algorithm.HMAC_SHA1) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("signature", "verdict"),
    [
        pytest.param(None, Verdict.UNSIGNED, id="missing"),
        pytest.param("", Verdict.UNSIGNED, id="empty"),
        pytest.param("A" * 27 + "=", Verdict.MISMATCH, id="zeros"),
        pytest.param("not base64", Verdict.MALFORMED, id="no base64"),
        pytest.param("A" * 27, Verdict.MALFORMED, id="too short"),
        pytest.param("A" * 28 + "=", Verdict.MALFORMED, id="too long"),
        pytest.param("é" * 28, Verdict.MALFORMED, id="not ASCII"),
        pytest.param("\ud800" * 28, Verdict.MALFORMED, id="lone surrogates"),
        pytest.param(oracle(URL, TEXT) + "\n", Verdict.MALFORMED, id="a line end"),
        pytest.param("A" * 2_000_000, Verdict.TOO_LARGE, id="megabytes"),
    ],
)
def test_a_malformed_signature_is_refused(signature: str | None, verdict: Verdict) -> None:
    assert verify(SignedRequest(url=URL, signature=signature, fields=TEXT), SECRETS) is verdict


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/a",
        "\x00",
        "\ud800",
        "ftp://example.com/a",
        "https://",
        "https:///a",
        "https://h h/",
        "https://h:abc/a",
        "https://h:1:2/",
        "https://[::1/a",
        "https://example.com/\ud800",
        "https://example.com/?bodySHA256=\ud800",
    ],
)
def test_a_broken_url_is_refused(url: str) -> None:
    assert verify(SignedRequest(url=url, signature="A" * 27 + "=", fields=TEXT), SECRETS) is Verdict.MALFORMED


@pytest.mark.parametrize("field", [("\ud800", "a"), ("a", "\udfff")])
def test_fields_that_are_no_text_are_refused(field: tuple[str, str]) -> None:
    request = SignedRequest(url=URL, signature="A" * 27 + "=", fields=[field])
    assert verify(request, SECRETS) is Verdict.MALFORMED


@pytest.mark.parametrize("fields", [[("a", "b" * 1_000_001)], [("", "")] * 1_000_001], ids=["a value", "fields"])
def test_a_giant_form_is_refused(fields: Fields) -> None:
    request = SignedRequest(url=URL, signature="A" * 27 + "=", fields=fields)
    assert verify(request, SECRETS) is Verdict.TOO_LARGE


def test_secrets_do_not_show_in_their_repr() -> None:
    assert TOKEN not in repr(SECRETS)
    assert "shared" not in repr(SECRETS).replace("shared_keys", "")


ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
ANY_FIELDS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=12)), max_size=12)


@given(ANY_FIELDS, st.permutations(range(12)))
def test_the_verdict_agrees_with_the_oracle_for_any_form(fields: Fields, order: list[int]) -> None:
    shuffled = [fields[index] for index in order if index < len(fields)]
    request = dataclasses.replace(signed(URL, fields), fields=shuffled)
    assert verify(request, SECRETS) is Verdict.GENUINE


@given(st.integers(0, 10_000), st.integers(1, 127))
def test_one_changed_character_anywhere_is_refused(place: int, change: int) -> None:
    genuine = signed()
    parts = [genuine.url, genuine.signature or "", *(text for field in TEXT for text in field)]
    place %= sum(map(len, parts))
    for index, part in enumerate(parts):
        if place < len(part):
            parts[index] = part[:place] + chr(ord(part[place]) ^ change) + part[place + 1 :]
            break
        place -= len(part)
    changed = SignedRequest(
        url=parts[0], signature=parts[1], fields=list(zip(*[iter(parts[2:])] * 2, strict=True))
    )
    assert verify(changed, SECRETS) is not Verdict.GENUINE


@given(
    st.builds(
        SignedRequest,
        url=st.one_of(ANY_TEXT, st.just(URL)),
        signature=st.one_of(st.none(), ANY_TEXT, st.just("A" * 27 + "=")),
        settings=st.one_of(st.none(), st.text(), st.just(SETTINGS)),
        method=st.sampled_from(["GET", "POST", "\ud800"]),
        fields=st.one_of(st.none(), st.lists(st.tuples(ANY_TEXT, st.text()))),
        body=st.binary(),
    ),
    st.sampled_from([None, *Algorithm]),
)
def test_nothing_raises_and_nothing_is_genuine_without_the_secret(
    request_: SignedRequest, pinned: Algorithm | None
) -> None:
    assert verify(request_, SECRETS, pinned=pinned) is not Verdict.GENUINE
