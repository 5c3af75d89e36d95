"""Where the broker is and who we are to it: what the environment says, and what is said of what makes no sense."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import nkeys  # type: ignore[import-untyped]
import pytest
from nats.errors import AuthorizationError, Error

from parley_common.broker import Broker, read_broker
from parley_common.bus import refusal
from parley_common.settings import SettingsError

SEED = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER).decode()
SEED_BLOCK = f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
CREDS = f"-----BEGIN NATS USER JWT-----\neyJ0.eyJq.c2ln\n------END NATS USER JWT------\n\n{SEED_BLOCK}"


def test_without_settings_it_is_on_this_machine_and_asks_nobody_who_we_are() -> None:
    assert read_broker({}) == Broker("nats://127.0.0.1:4222")
    assert read_broker({"PARLEY_NATS_PORT": "4333"}).url == "nats://127.0.0.1:4333"


def test_everything_that_is_said_is_read(tmp_path: Path) -> None:
    creds = tmp_path / "user.creds"
    creds.write_text(CREDS)
    given = {"NATS_URL": "tls://one:4222, tls://two:4222", "NATS_INBOX_PREFIX": "_INBOX_agent"}
    assert read_broker({**given, "NATS_CREDS": str(creds)}) == Broker(
        "tls://one:4222, tls://two:4222", creds=creds, inbox_prefix="_INBOX_agent"
    )
    user = read_broker({**given, "NATS_USER": "agent", "NATS_PASSWORD": "secret"})
    assert (user.user, user.password) == ("agent", "secret")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param({"NATS_USER": "a"}, "NATS_USER is set and NATS_PASSWORD is not", id="no password"),
        pytest.param({"NATS_PASSWORD": "a"}, "NATS_PASSWORD is set and NATS_USER is not", id="no user"),
        pytest.param({"NATS_CERT": "FILE"}, "NATS_CERT is set and NATS_KEY is not", id="no key"),
        pytest.param({"NATS_KEY": "FILE"}, "NATS_KEY is set and NATS_CERT is not", id="no certificate"),
        pytest.param(
            {"NATS_CREDS": "FILE", "NATS_NKEY": "FILE"}, "NATS_CREDS and NATS_NKEY are both set", id="two"
        ),
        pytest.param({"NATS_CREDS": "/nowhere"}, "NATS_CREDS names /nowhere, where no file is", id="no file"),
        pytest.param({"NATS_CA": "FILE"}, "NATS_CA, NATS_CERT or NATS_KEY cannot be used", id="not PEM"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(tmp_path: Path, given: dict[str, str], sentence: str) -> None:
    (tmp_path / "file").write_text("nothing of the kind")
    with pytest.raises(SettingsError) as refused:
        read_broker({name: value.replace("FILE", str(tmp_path / "file")) for name, value in given.items()})
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        SEED_BLOCK,
        CREDS.partition(SEED_BLOCK)[0],
        CREDS.replace("eyJ0.eyJq.c2ln\n", ""),
        CREDS.replace(SEED, "S"),
    ],
    ids=["empty", "no JWT", "no seed", "no JWT in its block", "half a seed"],
)
def test_a_file_that_is_no_creds_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "user.creds").write_text(text)
    with pytest.raises(
        SettingsError, match=r"NATS_CREDS names .*user\.creds, which holds no JWT and seed of a user: put"
    ):
        read_broker({"NATS_CREDS": str(tmp_path / "user.creds")})


@pytest.mark.parametrize("text", ["", SEED[:-3], SEED_BLOCK, "über"], ids=["empty", "half", "creds", "no ASCII"])
def test_a_file_that_holds_no_seed_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "user.nk").write_text(text)
    with pytest.raises(SettingsError, match=r"NATS_NKEY names .*user\.nk, which holds no seed: put the seed"):
        read_broker({"NATS_NKEY": str(tmp_path / "user.nk")})


def test_who_a_file_says_we_are_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "user.nk").write_text(f"{SEED}\n")
    user = read_broker({"NATS_NKEY": str(tmp_path / "user.nk")}).file_user()
    assert user is not None
    assert user.public == nkeys.from_seed(SEED.encode()).public_key.decode()
    assert SEED not in repr(user)


@pytest.mark.parametrize("secret", ["user:pa/ss", "user:pa#ss", "user:pa?ss", "tok?en", "user:pa@ss"])
def test_an_address_shows_nothing_of_a_secret_that_ends_a_url(secret: str) -> None:
    assert Broker(f"nats://{secret}@one:4222,tls://two").shown == "one:4222,two"


def test_neither_its_address_nor_its_repr_shows_a_secret() -> None:
    broker = Broker("nats://a:hidden@one:4222,nats://b:hidden@two:4222", user="agent", password="hidden")
    assert broker.shown == "one:4222,two:4222"
    assert "hidden" not in repr(Broker("nats://one", user="agent", password="hidden"))


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        (Broker("nats://one:4222", user="agent", password="hidden"), "refuses user agent: set NATS_USER and"),
        (Broker("nats://one:4222", creds=Path("/a.creds")), "refuses the credentials in /a.creds: ask whoever"),
        (Broker("nats://one:4222", nkey=Path("/a.nk")), "refuses the nkey in /a.nk: ask whoever"),
        (Broker("nats://one:4222"), "refuses who has no name: set NATS_USER and NATS_PASSWORD, NATS_CREDS or"),
    ],
)
@pytest.mark.parametrize(
    "error", [Error("nats: 'Authorization Violation'"), AuthorizationError(), Error("User Authentication Expired")]
)
def test_a_refusal_names_who_is_refused_and_the_fix(broker: Broker, words: str, error: Exception) -> None:
    said = refusal(broker, error) or ""
    assert said.startswith("the broker at one:4222 ")
    assert words in said
    assert "hidden" not in said


@pytest.mark.parametrize("error", [OSError("refused"), TimeoutError(), Error("stale connection"), None])
def test_what_goes_over_by_itself_is_no_refusal(error: Exception | None) -> None:
    assert refusal(Broker("nats://one"), error) is None


def test_trouble_with_certificates_names_the_setting() -> None:
    unknown = ssl.SSLCertVerificationError("self-signed")
    unknown.verify_message = "self-signed certificate"
    assert "(self-signed certificate): NATS_CA must name" in (refusal(Broker("tls://one"), unknown) or "")
    assert "NATS_CERT" in (refusal(Broker("tls://one"), ssl.SSLError("bad certificate")) or "")
