"""Requests that nobody at Twilio would make, in many classes, made up from a seed.

Each class is a function of the dice and says whether the connection is of use afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

from integration.ingress.sender import (
    ACCOUNT,
    INBOUND,
    NUMBER,
    PUBLIC_URL,
    STATUS,
    TOKEN,
    Fields,
    report,
    sign,
    text,
)
from integration.ingress.wire import head, post


@dataclass(frozen=True, kw_only=True)
class Shot:
    """The bytes. ``answers``: how many are due, 0 where the connection is left at once, None where it is of no use
    afterwards. ``strict``: for the ingress that takes SharedKeys only.
    """

    data: bytes
    answers: int | None = 1
    strict: bool = False


Class = Callable[[random.Random], Shot]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ALGORITHMS = (
    *(
        (settings, TOKEN)
        for settings in ("algorithm=none", "algorithm=HMAC_MD5", ",,,,=,=,=", "algorithm=HMAC_SHA1," * 2)
    ),
    *((settings, TOKEN) for settings in ("key=k,algorithm=HMAC_SHA256", "key=,algorithm=HMAC_SHA256")),
    *((settings, "x" * 32) for settings in ("key=,algorithm=", "x=" + "y" * 3_000, "algorithm=hmac_sha1")),
)
_SETTINGS = b"X-Twilio-Webhooks-Signature-Settings: "


def webhook(chance: random.Random) -> tuple[str, Fields]:
    """A webhook of which nothing is wrong yet."""
    return (INBOUND, text()) if chance.random() < 0.6 else (f"{STATUS}?part={'a' * 32}", report())


def plain(body: bytes, path: str = INBOUND, signature: str = "", extra: bytes = b"") -> bytes:
    """A POST of these bytes as a form."""
    return head(path, signature, extra + f"Content-Length: {len(body)}\r\n".encode()) + body


def wrong_token(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    return Shot(data=post(fields, path, signature=sign(PUBLIC_URL + path, fields, f"{chance.random()}")))


def unsigned(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    return Shot(data=post(fields, path, signature=chance.choice(["", " ", "=", "x" * 28, "é" * 9, "A" * 5_000])))


def flipped_bit(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    signature = sign(PUBLIC_URL + path, fields)
    place = chance.randrange(26)  # the last one before "=" has bits that mean nothing
    other = chance.choice([letter for letter in _LETTERS if letter != signature[place]])
    return Shot(data=post(fields, path, signature=signature[:place] + other + signature[place + 1 :]))


def altered_field(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    signature = sign(PUBLIC_URL + path, fields)
    name = chance.choice(sorted(set(fields) - {"AccountSid"}))
    changed = fields | {name: fields[name] + chance.choice(["x", " ", "0", "\0", "é"])}
    return Shot(data=post(changed, path, signature=signature))


def another_path(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    other = chance.choice(
        [f"{path}&x=1" if "?" in path else f"{path}?x=1", INBOUND if path != INBOUND else STATUS]
    )
    return Shot(
        data=post(fields | {"From": NUMBER, "To": NUMBER}, other, signature=sign(PUBLIC_URL + path, fields))
    )


def added_field(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    more = chance.choice(["&Body=other", "&From=%2B15550000000", "&MessageSid=SM" + "9" * 32, "&x", "&NumMedia=2"])
    return Shot(data=plain((urlencode(fields) + more).encode(), path, sign(PUBLIC_URL + path, fields)))


def lacks_a_field(chance: random.Random) -> Shot:
    """Signed well, which only the account itself could do."""
    path, fields = webhook(chance)
    needed = ["MessageSid", "AccountSid", *(["From", "To"] if path == INBOUND else ["MessageStatus", "From"])]
    name = chance.choice(needed)
    fields = {**fields, name: ""} if chance.random() < 0.5 else {k: v for k, v in fields.items() if k != name}
    return Shot(data=post(fields, path))


def another_account(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    account = chance.choice(["AC" + "b" * 32, "", ACCOUNT.upper(), f"{ACCOUNT}\0", "*", "' OR 1=1"])
    return Shot(data=post(fields | {"AccountSid": account}, path))


def another_algorithm(chance: random.Random) -> Shot:
    """Settings that name no algorithm mean SHA1, so that these come with a wrong token."""
    path, fields = webhook(chance)
    settings, token = chance.choice(_ALGORITHMS)
    signature = sign(PUBLIC_URL + path, fields, token)
    if "SHA256" in settings:
        signature = base64.b64encode(hmac.digest(b"", chance.randbytes(20), "sha256")).decode()
    return Shot(data=post(fields, path, signature=signature, extra=_SETTINGS + settings.encode() + b"\r\n"))


def downgrade(chance: random.Random) -> Shot:
    """A genuine SHA1 signature where only SharedKeys count."""
    path, fields = webhook(chance)
    extra = chance.choice(
        [b"", _SETTINGS + b"algorithm=HMAC_SHA1\r\n", _SETTINGS + b"key=key1,algorithm=HMAC_SHA1\r\n"]
    )
    return Shot(data=post(fields, path, extra=extra), strict=True)


def nasty_text(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    raw = [
        b"%00",
        b"%ED%A0%80",
        b"%ED%B0%80",
        b"%E9",
        b"%FF%FE",
        b"%",
        b"%zz",
        b"\xff\xfe",
        b"\0",
        b"%F4%90%80%80",
    ]
    return Shot(
        data=plain(urlencode(fields).encode() + b"&" + chance.choice(raw) + b"=" + chance.choice(raw), path)
    )


def random_body(chance: random.Random) -> Shot:
    path, _ = webhook(chance)
    return Shot(data=plain(chance.randbytes(chance.randrange(2_000)), path, "A" * 27 + "="))


def many_fields(chance: random.Random) -> Shot:
    pairs = [
        f"{chance.choice(['a', 'Body', 'From', 'AccountSid'])}={n}"
        for n in range(chance.choice([500, 501, 5_000]))
    ]
    return Shot(data=plain("&".join(pairs).encode(), INBOUND, "A" * 27 + "="))


def only_separators(chance: random.Random) -> Shot:
    return Shot(data=plain(chance.choice([b"&", b"=", b"%26", b"a=&", b"&="]) * 12_000))


def too_large(chance: random.Random) -> Shot:
    return Shot(data=plain(b"Body=" + b"x" * chance.choice([65_537, 200_000, 1_048_576])))


def another_type(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    kind = chance.choice(
        [b"text/plain", b"multipart/form-data; boundary=x", b"application/json", b"", b"\xff", b"a" * 900]
    )
    data = post(fields, path).replace(b"application/x-www-form-urlencoded", kind, 1)
    return Shot(data=data)


def signed_json(chance: random.Random) -> Shot:
    body = json.dumps(text()).encode()
    digest = hashlib.sha256(body if chance.random() < 0.5 else b"other").hexdigest()
    path = f"{INBOUND}?bodySHA256={digest}"
    signature = sign(PUBLIC_URL + path, {}, chance.choice([TOKEN, "x" * 32]))
    kind = chance.choice([b"application/json", b"application/x-www-form-urlencoded"])
    return Shot(data=plain(body, path, signature).replace(b"application/x-www-form-urlencoded", kind, 1))


def hash_in_query(chance: random.Random) -> Shot:
    """The hash of the body covers it only where Twilio signed the address with the hash in it."""
    _, fields = webhook(chance)
    digest = hashlib.sha256(urlencode(fields).encode()).hexdigest()
    path = f"{INBOUND}?bodySHA256={digest}" + chance.choice(["", f"&bodySHA256={digest}"])
    return Shot(data=post(fields, path, signature=sign(PUBLIC_URL + INBOUND, fields)))


def unknown_path(chance: random.Random) -> Shot:
    paths = [
        "/",
        "/webhooks",
        INBOUND + "/",
        INBOUND.upper(),
        "//" + INBOUND,
        "/../etc/passwd",
        "/%2e%2e/x",
        "/.env",
        "/%00",
    ]
    host = chance.choice([b"x", b"[", b"a b", b"", b"evil.example:99999", b"\xff"])
    data = post(text(), chance.choice(paths)).replace(b"Host: x", b"Host: " + host, 1)
    return Shot(data=data)


def unknown_method(chance: random.Random) -> Shot:
    method = chance.choice([b"PUT", b"DELETE", b"PATCH", b"TRACE", b"PROPFIND", b"OPTIONS"])
    return Shot(data=post(text()).replace(b"POST", method, 1))


def hostile_get(chance: random.Random) -> Shot:
    query = chance.choice(
        [
            urlencode(text()),
            "Body=%ff",
            "a=1&" * 600,
            "bodySHA256=" + "0" * 64,
            "%00",
            "?" * 50,
            quote_plus("é") * 400,
        ]
    )
    return Shot(
        data=f"GET {INBOUND}?{query} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {'A' * 27}=\r\n\r\n".encode()
    )


def waits_for_a_word(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    return Shot(data=post(fields, path, signature="A" * 27 + "=", extra=b"Expect: 100-continue\r\n"))


def large_head(chance: random.Random) -> Shot:
    value = b"x" * chance.choice([100_000, 300_000])
    return Shot(data=head(extra=chance.choice([b"X-A: " + value, b"Cookie: " + value]) + b"\r\n"), answers=None)


def many_headers(chance: random.Random) -> Shot:
    extra = b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(chance.choice([200, 2_000])))
    return Shot(data=post(text(), signature="A" * 27 + "=", extra=extra))


def bad_framing(chance: random.Random) -> Shot:
    extra = [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Content-Length: -1\r\n\r\n",
    ]
    extra += [b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"]
    extra += [b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: x\r\n\r\n"]
    return Shot(data=head()[:-2] + chance.choice(extra), answers=None)


def no_http(chance: random.Random) -> Shot:
    return Shot(
        data=chance.choice([b"\x16\x03\x01", b"SSH-2.0-x\r\n", b"\0" * 50]) + chance.randbytes(300), answers=None
    )


def cut_off(chance: random.Random) -> Shot:
    """Left in the middle: of the request line, of the headers, of the body, of a chunk."""
    whole = chance.choice([post(text()), head(extra=b"Transfer-Encoding: chunked\r\n") + b"40\r\na=1"])
    return Shot(data=whole[: chance.randrange(1, len(whole))], answers=0)


def pipelined(chance: random.Random) -> Shot:
    shots = [chance.choice(_ONE_AFTER_ANOTHER)(chance) for _ in range(5)]
    return Shot(data=b"".join(shot.data for shot in shots), answers=5)


def other_target(chance: random.Random) -> Shot:
    target = chance.choice(
        [
            b"http://evil.example" + INBOUND.encode(),
            b"https://x" + INBOUND.encode() + b"?a#b",
            b"http://[" + INBOUND.encode(),
        ]
    )
    return Shot(data=post(text(), signature="A" * 27 + "=").replace(INBOUND.encode(), target, 1), answers=None)


def two_signatures(chance: random.Random) -> Shot:
    path, fields = webhook(chance)
    genuine = sign(PUBLIC_URL + path, fields)
    extra = f"X-Twilio-Signature: {genuine}\r\n".encode()
    return Shot(data=post(fields | {"MessageSid": "SM" + "8" * 32}, path, signature="A" * 27 + "=", extra=extra))


_ONE_AFTER_ANOTHER: tuple[Class, ...] = (wrong_token, unsigned, flipped_bit, altered_field, another_account)

CLASSES: tuple[Class, ...] = (
    *(
        wrong_token,
        unsigned,
        flipped_bit,
        altered_field,
        another_path,
        added_field,
        lacks_a_field,
        another_account,
    ),
    *(
        another_algorithm,
        downgrade,
        nasty_text,
        random_body,
        many_fields,
        only_separators,
        too_large,
        another_type,
    ),
    *(signed_json, hash_in_query, unknown_path, unknown_method, hostile_get, waits_for_a_word, large_head),
    *(many_headers, bad_framing, no_http, cut_off, pipelined, other_target, two_signatures),
)

_SELDOM: dict[Class, float] = {
    too_large: 0.1,
    large_head: 0.1,
    many_headers: 0.3,
    only_separators: 0.2,
    many_fields: 0.3,
}

WEIGHTS = tuple(_SELDOM.get(one, 1.0) for one in CLASSES)
"""How often each class comes: what costs many bytes comes less often."""
