"""From a declared tool and arguments to a request: no argument leads anywhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_brains.tools.requests import MOST_CHARACTERS, Request, ToolFailed, build_request, declare
from parley_brains.tools.settings import Method, Parameter, ParameterType, Tool
from parley_common.settings import SettingsError

ENVIRONMENT = {"BASE": "https://shop.example/api", "KEY": "s3cret"}


def tool(url: str = "https://shop.example/orders/{number}", **changes: object) -> Tool:
    return msgspec.structs.replace(Tool(description="d", url=url, parameters={"number": "its number"}), **changes)


def built(one: Tool, **arguments: object) -> Request:
    return build_request(declare("one", one, ENVIRONMENT), arguments)


def test_a_parameter_fills_its_place_in_the_path() -> None:
    assert built(tool(), number="10 01") == Request(url="https://shop.example/orders/10%2001", body=None)


def test_a_parameter_fills_its_place_in_the_query() -> None:
    assert built(tool("https://shop.example/?q={number}&x=1"), number="a/b&c").url == (
        "https://shop.example/?q=a%2Fb%26c&x=1"
    )


def test_what_has_no_place_goes_into_the_query_or_the_body() -> None:
    url = "https://shop.example/find?all=1"
    assert built(tool(url), number="a b").url == f"{url}&number=a%20b"
    assert built(tool(url, method=Method.DELETE), number="7").url == f"{url}&number=7"
    assert built(tool(url, method=Method.POST), number="7") == Request(url=url, body={"number": "7"})


def test_the_environment_fills_url_and_headers() -> None:
    one = tool("${BASE}/orders/{number}?key=${KEY}", headers={"X-Key": "Key ${KEY}"})
    declared = declare("one", one, ENVIRONMENT)
    assert build_request(declared, {"number": "7"}).url == "https://shop.example/api/orders/7?key=s3cret"
    assert declared.headers == {"X-Key": "Key s3cret"}
    assert set(declared.secrets) == {"s3cret"}


def test_braces_in_a_value_of_the_environment_are_no_places() -> None:
    declared = declare("one", tool("https://shop.example/{number}?key=${KEY}"), {"KEY": "{number}"})
    assert build_request(declared, {"number": "7"}).url == "https://shop.example/7?key=%7Bnumber%7D"


def test_a_value_of_the_environment_cannot_end_its_place_in_a_url() -> None:
    key = {"HOST": "shop.example:8443", "PART": "a b/c?", "KEY": "k&admin=1#/+ö"}
    declared = declare("one", tool("https://${HOST}/${PART}/{number}?key=${KEY}"), key)
    url = build_request(declared, {"number": "7"}).url
    assert url == "https://shop.example:8443/a%20b/c%3F/7?key=k%26admin%3D1%23%2F%2B%C3%B6"
    assert {key["KEY"], "k%26admin%3D1%23%2F%2B%C3%B6"} <= set(declared.secrets)


@pytest.mark.parametrize("timeout_s", [0, -1, 60.1, 1e9])
def test_a_tool_has_a_minute_at_most(timeout_s: float) -> None:
    with pytest.raises(msgspec.ValidationError, match="timeout_s"):
        msgspec.convert({"description": "d", "url": "https://shop.example/", "timeout_s": timeout_s}, Tool)


MISTAKES = {
    "names ${KEY_TWO}": tool(headers={"X": "${KEY_TWO}"}),
    "no parameter is called {nubmer}": tool("https://shop.example/{nubmer}"),
    "path or the query only": tool("https://{number}.shop.example/"),
    "the path or the query": tool("https://shop.example:{number}/"),
    "may stand in the path": tool("https://shop.example/#{number}"),
    "no URL that can be called": tool("ftp://shop.example/", parameters={}),
    "no header may have": tool(headers={"X": "a\nb"}),
    "'X:' is no name of a header": tool(headers={"X:": "a"}),
    "HOST is written by Parley": tool(headers={"HOST": "a"}),
    "idempotency-key is written by Parley": tool(headers={"idempotency-key": "a"}),
    "${} names no variable": tool(headers={"X": "${}"}),
    "${ KEY} names no variable": tool("https://shop.example/${ KEY}/{number}"),
    "${KEY names no variable": tool("https://shop.example/{number}?k=${KEY"),
    "must be required": tool(parameters={"number": Parameter(required=False)}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_tool_that_cannot_be_called_is_refused_at_the_start(mistake: str) -> None:
    with pytest.raises(SettingsError) as refused:
        declare("one", MISTAKES[mistake], ENVIRONMENT)
    assert mistake in str(refused.value)
    assert "tools.one" in str(refused.value)


def test_a_name_that_no_model_takes_is_refused() -> None:
    with pytest.raises(SettingsError, match="no model takes this name"):
        declare("order status", tool(), ENVIRONMENT)


@pytest.mark.parametrize(
    "value", ["", " ", ".", "..", "../x", "a/b", "a\\b", "\ud800", ["7"], {"a": 1}, "x" * 1001]
)
def test_an_argument_that_could_lead_elsewhere_is_refused(value: object) -> None:
    with pytest.raises(ToolFailed):
        built(tool(), number=value)


def test_two_arguments_do_not_make_dots_together() -> None:
    with pytest.raises(ToolFailed, match="another path"):
        built(tool("https://shop.example/{a}{b}/x", parameters={"a": "", "b": ""}), a=".", b=".")


VALUES = {
    (ParameterType.STRING, 7): "7",
    (ParameterType.STRING, True): "true",
    (ParameterType.INTEGER, "7"): 7,
    (ParameterType.INTEGER, "7.5"): None,
    (ParameterType.INTEGER, "seven"): None,
    (ParameterType.NUMBER, "7.5"): 7.5,
    (ParameterType.NUMBER, "nan"): None,
    (ParameterType.NUMBER, "1e999"): None,
    (ParameterType.BOOLEAN, "True"): True,
    (ParameterType.BOOLEAN, "yes"): None,
}


@pytest.mark.parametrize(("kind", "said"), VALUES)
def test_a_value_is_of_the_declared_type(kind: ParameterType, said: object) -> None:
    one = tool("https://shop.example/", method=Method.POST, parameters={"number": Parameter(type=kind)})
    expected = VALUES[kind, said]
    if expected is None:
        with pytest.raises(ToolFailed, match=f"must be of type {kind}"):
            built(one, number=said)
    else:
        body = built(one, number=said).body
        assert body == {"number": expected}
        assert type(body["number"]) is type(expected)


def test_only_the_declared_values_are_taken() -> None:
    one = tool(parameters={"number": Parameter(enum=("a", "b"))})
    assert built(one, number="b").url.endswith("/b")
    with pytest.raises(ToolFailed, match="one of a, b"):
        built(one, number="c")


def test_a_missing_argument_is_named_and_an_unknown_one_is_refused() -> None:
    with pytest.raises(ToolFailed, match="number is missing"):
        built(tool(), number=None)
    with pytest.raises(ToolFailed, match="it takes number and nothing else"):
        built(tool(), number="7", url="https://evil.example")


def test_what_is_not_required_may_be_left_out() -> None:
    one = tool(parameters={"number": "n", "note": Parameter(required=False)})
    assert built(one, number="7", note=None).url == "https://shop.example/orders/7"


@given(st.text(max_size=MOST_CHARACTERS))
def test_whatever_is_said_the_request_goes_to_the_same_place(said: str) -> None:
    try:
        url = built(tool("https://shop.example/orders/{number}/state?q={number}"), number=said).url
    except ToolFailed:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "shop.example", "")
    head, orders, value, state = parts.path.split("/")
    assert (head, orders, state) == ("", "orders", "state")
    assert value not in ("", ".", "..")
    assert url.isascii()
