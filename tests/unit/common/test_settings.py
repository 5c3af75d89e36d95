"""Each wrong setting is one sentence that names its variable and says what to write."""

from collections.abc import Callable

import pytest

from parley_common.broker import Broker
from parley_common.settings import (
    Environment,
    SettingsError,
    read_flag,
    read_list,
    read_number,
    read_optional,
    read_port,
    read_text,
)
from parley_common.shared_settings import Common, read_common, read_limits, read_secret_keys
from parley_common.topology import Limits

KEY = "0123456789abcdef0123456789abcdef"


def common(**variables: str) -> Common:
    return read_common({"PARLEY_HASH_KEY": KEY} | variables)


def refusal(read: Callable[[Environment], object], environment: Environment) -> str:
    with pytest.raises(SettingsError) as refused:
        read(environment)
    return str(refused.value)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param(
            {"PARLEY_HASH_KEY": ""}, "PARLEY_HASH_KEY is not set: set it in the environment", id="no key"
        ),
        pytest.param(
            {"PARLEY_HASH_KEY": "short"},
            "PARLEY_HASH_KEY is shorter than 32 characters: use the output of openssl rand -hex 32",
            id="short key",
        ),
        pytest.param(
            {"PARLEY_LOG_FORMAT": "xml"}, "PARLEY_LOG_FORMAT is 'xml': write json or text", id="log format"
        ),
        pytest.param(
            {"PARLEY_NATS_PORT": "nats"},
            "PARLEY_NATS_PORT is 'nats': write a port from 1 to 65535",
            id="port in words",
        ),
        pytest.param(
            {"PARLEY_NATS_PORT": "65536"},
            "PARLEY_NATS_PORT is '65536': write a port from 1 to 65535",
            id="port too high",
        ),
        pytest.param(
            {"PARLEY_NATS_PORT": "0"}, "PARLEY_NATS_PORT is '0': write a port from 1 to 65535", id="port zero"
        ),
        pytest.param(
            {"PARLEY_NATS_PORT": "-1"},
            "PARLEY_NATS_PORT is '-1': write a port from 1 to 65535",
            id="port negative",
        ),
        pytest.param({"PARLEY_GRACE_S": "soon"}, "PARLEY_GRACE_S is 'soon': write a number", id="no number"),
        pytest.param({"PARLEY_GRACE_S": "0"}, "PARLEY_GRACE_S is 0: it must be at least 1", id="too little"),
        pytest.param({"PARLEY_GRACE_S": "nan"}, "PARLEY_GRACE_S is nan: it must be at least 1", id="not a number"),
    ],
)
def test_a_wrong_common_setting_is_one_sentence(variables: dict[str, str], sentence: str) -> None:
    assert refusal(read_common, {"PARLEY_HASH_KEY": KEY} | variables) == sentence


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param(
            {"PARLEY_STREAM_MAX_AGE_S": "59"}, "PARLEY_STREAM_MAX_AGE_S is 59: it must be at least 60", id="age"
        ),
        pytest.param(
            {"PARLEY_STREAM_MAX_BYTES": "1"},
            "PARLEY_STREAM_MAX_BYTES is 1: it must be at least 1e+06",
            id="size",
        ),
        pytest.param(
            {"PARLEY_STREAM_REPLICAS": "0"}, "PARLEY_STREAM_REPLICAS is 0: it must be at least 1", id="replicas"
        ),
    ],
)
def test_a_wrong_limit_is_one_sentence(variables: dict[str, str], sentence: str) -> None:
    assert refusal(read_limits, variables) == sentence


def test_a_port_in_digits_that_are_no_number_is_refused_too() -> None:
    assert refusal(lambda env: read_port(env, "PORT", 1), {"PORT": "8²"}) == (
        "PORT is '8²': write a port from 1 to 65535"
    )


def test_a_number_of_replicas_that_is_not_whole_is_refused() -> None:
    assert "PARLEY_STREAM_REPLICAS" in refusal(read_limits, {"PARLEY_STREAM_REPLICAS": "2.5"})


def test_infinity_is_no_number_of_seconds() -> None:
    with pytest.raises(SettingsError, match="PARLEY_GRACE_S"):
        common(PARLEY_GRACE_S="inf")


def test_what_is_not_set_has_its_default() -> None:
    assert common() == Common(
        broker=Broker("nats://127.0.0.1:4222"),
        hash_key=KEY.encode(),
        host="127.0.0.1",
        readable_logs=False,
        grace_s=20.0,
    )
    assert read_limits({}) == Limits()


def test_what_is_set_is_read() -> None:
    read = common(
        NATS_URL=" nats://broker:4223 ", PARLEY_HOST="::1", PARLEY_LOG_FORMAT="text", PARLEY_GRACE_S="2.5"
    )
    assert (read.broker.url, read.host, read.readable_logs, read.grace_s) == (
        "nats://broker:4223",
        "::1",
        True,
        2.5,
    )


def test_the_brokers_port_alone_moves_its_address() -> None:
    assert common(PARLEY_NATS_PORT="4333").broker.url == "nats://127.0.0.1:4333"


def test_limits_are_read() -> None:
    read = read_limits(
        {"PARLEY_STREAM_MAX_AGE_S": "3600", "PARLEY_STREAM_MAX_BYTES": "2e9", "PARLEY_STREAM_REPLICAS": "3"}
    )
    assert read == Limits(max_age_s=3600.0, max_bytes=2_000_000_000, replicas=3)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        *((word, True) for word in ("1", "true", "YES", " on ")),
        *((word, False) for word in ("0", "False", "no", "OFF")),
        ("", False),
        ("  ", False),
    ],
)
def test_a_flag_is_said_in_any_common_word(value: str, *, flag: bool) -> None:
    assert read_flag({"FLAG": value}, "FLAG") is flag


def test_a_flag_that_is_not_said_has_its_default() -> None:
    assert read_flag({}, "FLAG", default=True) is True


def test_a_flag_in_another_word_is_refused() -> None:
    assert refusal(lambda env: read_flag(env, "FLAG"), {"FLAG": "maybe"}) == (
        "FLAG is 'maybe': write true or false"
    )


def test_a_text_of_blanks_is_not_set() -> None:
    assert read_optional({"TEXT": "  "}, "TEXT") is None
    assert read_text({"TEXT": "  "}, "TEXT", "default") == "default"
    assert (
        refusal(lambda env: read_text(env, "TEXT"), {"TEXT": " "}) == "TEXT is not set: set it in the environment"
    )


def test_a_list_leaves_blanks_out() -> None:
    assert read_list({"LIST": " a, ,b ,"}, "LIST") == ("a", "b")
    assert read_list({}, "LIST") == ()


def test_a_number_may_be_the_least() -> None:
    assert read_number({"N": "2"}, "N", 1.0, least=2.0) == 2.0


@pytest.mark.parametrize("port", ["1", "65535"])
def test_the_first_and_the_last_port_are_ports(port: str) -> None:
    assert read_port({"PORT": port}, "PORT", 80) == int(port)


@pytest.mark.parametrize(
    ("value", "keys"), [("a" * 32, (b"a" * 32,)), (f"{'n' * 32}, {'o' * 40}", (b"n" * 32, b"o" * 40))]
)
def test_the_secret_key_may_be_two_while_it_is_changed(value: str, keys: tuple[bytes, ...]) -> None:
    assert read_secret_keys({"PARLEY_SECRET_KEY": value}) == keys


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "PARLEY_SECRET_KEY is not set: set it to the output of openssl rand -hex 32"),
        (" , ", "PARLEY_SECRET_KEY is not set: set it to the output of openssl rand -hex 32"),
        (f"{'n' * 32},short", "PARLEY_SECRET_KEY has a key shorter than 32 characters"),
    ],
)
def test_a_secret_key_that_protects_nothing_is_refused(value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_secret_keys({"PARLEY_SECRET_KEY": value})
    assert str(refused.value).startswith(sentence)
    assert "short," not in str(refused.value)
