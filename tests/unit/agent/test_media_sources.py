"""From where attachments are fetched: Twilio's own, and nowhere that a URL could lead us to."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import httpx2
import pytest

from parley_agent.media.sources import NotAllowed, is_public, own_origin, source, target
from parley_common.channels import Channel

ACCOUNT, SID, MEDIUM = "AC" + "0" * 32, "MM" + "a" * 32, "ME" + "b" * 32
TWILIO = Channel(
    name="default",
    account_sid=ACCOUNT,
    auth_tokens=("token",),
    numbers=("+15550100100",),
    messaging_service_sid=None,
    allowed=frozenset(),
    allow_all=True,
)
ELSEWHERE = replace(TWILIO, api_base_url="http://127.0.0.1:8082")
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}/Media/{MEDIUM}"


@pytest.mark.parametrize(
    "host",
    ["api.twilio.com", "api.ie1.twilio.com", "api.dublin.ie1.twilio.com", "API.twilio.com", "api.twilio.com:443"],
)
def test_a_medium_of_the_message_at_twilio_is_fetched(host: str) -> None:
    assert source(f"https://{host}{PATH}", TWILIO, SID).raw_path.decode() == PATH


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"http://api.twilio.com{PATH}", id="without TLS"),
        pytest.param(f"https://api.twilio.com:8443{PATH}", id="another port"),
        pytest.param(f"https://api.twilio.com.evil.example{PATH}", id="a host that begins so"),
        pytest.param(f"https://evil-api.twilio.com{PATH}", id="a host that ends so"),
        pytest.param(f"https://api.a.b.c.twilio.com{PATH}", id="too deep"),
        pytest.param(f"https://apixtwilio.com{PATH}", id="a dot that is none"),
        pytest.param(f"https://media.twiliocdn.com{PATH}", id="the content server"),
        pytest.param(f"https://api.twilio.com@127.0.0.1{PATH}", id="Twilio as a user"),
        pytest.param(f"https://user:pass@api.twilio.com{PATH}", id="a user"),
        pytest.param(f"https://api.twilio.com{PATH}?x=1", id="a query"),
        pytest.param(f"https://api.twilio.com{PATH}#x", id="a fragment"),
        pytest.param(f"https://api.twilio.com\\@127.0.0.1{PATH}", id="a backslash"),
        pytest.param(f"https://api.twilio.com{PATH}\r\nHost: evil", id="a line break"),
        pytest.param(f"https://api.twilio.com{PATH}/../../x", id="a way up"),
        pytest.param(f"https://api.twilio.com{PATH}.json", id="not the bytes"),
        pytest.param(f"https://api.twilio.com{PATH.replace(ACCOUNT, 'AC' + '1' * 32)}", id="another account"),
        pytest.param(f"https://api.twilio.com{PATH.replace(SID, 'MM' + '1' * 32)}", id="another message"),
        pytest.param(f"https://api.twilio.com{PATH.replace('ME', 'RE')}", id="no medium"),
        pytest.param(f"https://api.twilio.com{PATH.replace('Media', '%4dedia')}", id="written otherwise"),
        pytest.param(f"https://аpi.twilio.com{PATH}", id="a letter of another script"),
        pytest.param("https://169.254.169.254/latest/meta-data/", id="a cloud's metadata"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("https://", id="no host"),
        pytest.param("", id="nothing"),
        pytest.param("https://[::1", id="no URL"),
        pytest.param("https://api.twilio.com:99999/", id="no port"),
        pytest.param("https://api.twilio.com/" + "a" * 3000, id="too long"),
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        source(url, TWILIO, SID)


def test_where_twilio_is_elsewhere_only_that_origin_is_asked() -> None:
    assert str(source(f"http://127.0.0.1:8082{PATH}", ELSEWHERE, SID)) == f"http://127.0.0.1:8082{PATH}"
    for url in ("http://127.0.0.1:8083/x", "https://127.0.0.1:8082/x", "http://localhost:8082/x"):
        with pytest.raises(NotAllowed, match="TWILIO_API_BASE_URL"):
            source(url, ELSEWHERE, SID)
    with pytest.raises(NotAllowed):
        source(f"https://api.twilio.com{PATH}", ELSEWHERE, SID)


def test_a_region_of_twilio_is_no_origin_of_ones_own() -> None:
    assert own_origin(replace(TWILIO, api_base_url="https://api.ie1.twilio.com")) is None
    assert own_origin(ELSEWHERE) == ("http", "127.0.0.1", 8082)


HERE = httpx2.URL(f"https://api.twilio.com{PATH}")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://mms.twiliocdn.com/a?Signature=b", "https://mms.twiliocdn.com/a?Signature=b"),
        ("//mms.twiliocdn.com/a", "https://mms.twiliocdn.com/a"),
        ("/elsewhere", "https://api.twilio.com/elsewhere"),
    ],
)
def test_a_redirect_to_https_is_followed(location: str, expected: str) -> None:
    assert str(target(HERE, location, TWILIO)) == expected


@pytest.mark.parametrize(
    "location",
    [
        "",
        "http://mms.twiliocdn.com/a",
        "https://mms.twiliocdn.com:8443/a",
        "https://user@mms.twiliocdn.com/a",
        "ftp://mms.twiliocdn.com/a",
        "file:///etc/passwd",
        "https://mms.twiliocdn.com/a b",
        "https://[::1",
        "https://mms.twiliocdn.com:99999/",
        "https://mms.twiliocdn.com/a#b",
        "http://127.0.0.1:8082/a",
    ],
)
def test_a_redirect_to_anything_else_is_not(location: str) -> None:
    with pytest.raises(NotAllowed):
        target(HERE, location, TWILIO)


def test_the_origin_that_stands_in_for_twilio_may_redirect_to_itself() -> None:
    here = httpx2.URL("http://127.0.0.1:8082/a")
    assert str(target(here, "/_cdn/b", ELSEWHERE)) == "http://127.0.0.1:8082/_cdn/b"
    with pytest.raises(NotAllowed):
        target(here, "http://127.0.0.1:8083/_cdn/b", ELSEWHERE)


@pytest.mark.parametrize("address", ["8.8.8.8", "54.192.1.1", "2001:4860:4860::8888", "2606:4700::1111"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "fec0::1",
        "192.0.0.8",
        "192.0.0.9",
        "192.88.99.1",
        "3fff::1",
        "5f00::1",
        "168.63.129.16",
        "100.100.100.200",
        "64:ff9b::808:808",
        "64:ff9b:1::7f00:1",
        "::ffff:8.8.8.8",
        "::7f00:1",
    ],
)
def test_an_address_of_this_machine_or_network_is_not(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
