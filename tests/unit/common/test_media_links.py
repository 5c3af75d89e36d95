"""Links to hosted files: what opens a file, for how long, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from parley_common.media_links import (
    GOOD_FOR,
    MEDIA_PATH,
    MediaLinks,
    Verdict,
    hosted_url,
    is_out_name,
    out_name,
)

KEY = b"k" * 32
LINKS = MediaLinks((KEY,))
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAME = out_name(b"a picture")
PUBLIC = "https://sms.example.com"


def made(name: str = NAME, links: MediaLinks = LINKS) -> tuple[str, dict[str, str]]:
    """A link's name and query, as ingress reads them."""
    parts = urlsplit(links.url(PUBLIC, hosted_url(name), now=NOW))
    assert f"{parts.scheme}://{parts.netloc}" == PUBLIC
    return parts.path.removeprefix(f"{MEDIA_PATH}/"), dict(parse_qsl(parts.query))


def test_a_link_opens_its_file_until_it_expires() -> None:
    name, query = made()
    assert name == NAME
    assert LINKS.verdict(name, query, now=NOW) is Verdict.GENUINE
    assert LINKS.verdict(name, query, now=NOW + GOOD_FOR - timedelta(seconds=1)) is Verdict.GENUINE
    assert LINKS.verdict(name, query, now=NOW + GOOD_FOR) is Verdict.EXPIRED
    assert LINKS.left_s(query, now=NOW) == GOOD_FOR.total_seconds()
    assert LINKS.left_s(query, now=NOW + 2 * GOOD_FOR) == 0


def test_while_the_key_is_changed_links_of_both_open_and_new_ones_are_of_the_first() -> None:
    old, new = b"o" * 32, b"n" * 32
    both = MediaLinks((new, old))
    for links in (MediaLinks((old,)), MediaLinks((new,)), both):
        name, query = made(links=links)
        assert both.verdict(name, query, now=NOW) is Verdict.GENUINE
    name, query = made(links=both)
    assert MediaLinks((new,)).verdict(name, query, now=NOW) is Verdict.GENUINE
    assert MediaLinks((old,)).verdict(name, query, now=NOW) is Verdict.FORGED


def test_a_link_is_good_for_longer_than_twilio_may_queue_a_message() -> None:
    assert timedelta(hours=10) < GOOD_FOR


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"expires": "9999999999"}, id="a later end"),
        pytest.param({"expires": ""}, id="no end"),
        pytest.param({"expires": "soon"}, id="an end that is no number"),
        pytest.param({"expires": "１７９６０００００"}, id="digits of another script"),
        pytest.param({"expires": "9" * 400}, id="an end beyond all times"),
        pytest.param({"signature": ""}, id="no signature"),
        pytest.param({"signature": "0" * 64}, id="another signature"),
        pytest.param({"signature": "é"}, id="a signature that is no ASCII"),
        pytest.param({"signature": "\udc80"}, id="a signature that is no Unicode"),
    ],
)
def test_a_link_that_was_changed_is_forged(change: dict[str, str]) -> None:
    name, query = made()
    assert LINKS.verdict(name, query | change, now=NOW) is Verdict.FORGED


def test_the_signature_of_one_file_opens_no_other() -> None:
    _, query = made()
    for other in (out_name(b"another"), "", NAME + "/", f"{NAME}\0", "in/MM" + "a" * 32 + "/0", "\udc80"):
        assert LINKS.verdict(other, query, now=NOW) is Verdict.FORGED


def test_an_upper_case_signature_is_another_one() -> None:
    name, query = made()
    upper = query | {"signature": query["signature"].upper()}
    assert LINKS.verdict(name, upper, now=NOW) is Verdict.FORGED


def test_whoever_forges_a_link_is_not_told_that_it_expired() -> None:
    name, query = made(links=MediaLinks((b"another" * 6,)))
    assert LINKS.verdict(name, query, now=NOW + 2 * GOOD_FOR) is Verdict.FORGED


def test_a_signature_of_a_name_that_holds_the_separator_is_no_other_links() -> None:
    """Name and end are signed apart: one cannot be moved into the other."""
    name, query = made()
    moved = {"expires": query["expires"][1:], "signature": query["signature"]}
    assert LINKS.verdict(name + query["expires"][0], moved, now=NOW) is Verdict.FORGED


def test_what_is_hosted_elsewhere_stays_what_it_is() -> None:
    url = "https://cdn.example.com/a.png?b=c"
    assert LINKS.url(PUBLIC, url, now=NOW) == url


def test_a_public_address_with_a_path_is_kept() -> None:
    url = LINKS.url("https://example.com/parley", hosted_url(NAME), now=NOW)
    assert url.startswith(f"https://example.com/parley/media/{NAME}?")


def test_the_key_stands_in_no_link_and_no_repr() -> None:
    assert KEY.decode() not in LINKS.url(PUBLIC, hosted_url(NAME), now=NOW)
    assert KEY.decode() not in repr(LINKS)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (NAME, True),
        (NAME + "\n", False),
        (NAME.upper(), False),
        ("out/", False),
        ("out/../in/x", False),
        ("in/MM" + "a" * 32 + "/0", False),
    ],
)
def test_only_the_sum_of_a_file_is_a_name_that_is_served(name: str, is_one: bool) -> None:
    assert is_out_name(name) is is_one
