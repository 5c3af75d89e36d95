"""The words Twilio acts on, and the many that only look like them."""

import pytest

from parley_common.domain.keywords import classify_keyword
from parley_common.events import Keyword


@pytest.mark.parametrize("word", ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
def test_a_stop_word_stops(word: str) -> None:
    assert classify_keyword(word) is Keyword.STOP
    assert classify_keyword(word.lower(), toll_free=True) is Keyword.STOP


@pytest.mark.parametrize("word", ["START", "YES", "UNSTOP"])
def test_a_start_word_starts(word: str) -> None:
    assert classify_keyword(word) is Keyword.START


@pytest.mark.parametrize("word", ["HELP", "INFO"])
def test_a_help_word_asks_for_help(word: str) -> None:
    assert classify_keyword(word) is Keyword.HELP


@pytest.mark.parametrize(
    ("word", "keyword"),
    [("START", Keyword.START), ("UNSTOP", Keyword.START), ("YES", None), ("HELP", Keyword.HELP)],
)
def test_a_toll_free_number_is_not_opted_into_by_yes(word: str, keyword: Keyword | None) -> None:
    assert classify_keyword(word, toll_free=True) is keyword


@pytest.mark.parametrize("body", ["sToP", "stop", " stop", "Stop ", "\nSTOP\r\n", "\u00a0stop", "\tstop\t"])
def test_case_and_surrounding_space_do_not_matter(body: str) -> None:
    assert classify_keyword(body) is Keyword.STOP


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("   ", id="space"),
        pytest.param("STOP.", id="a full stop"),
        pytest.param("“stop”", id="quotes"),
        pytest.param("stop!", id="an exclamation mark"),
        pytest.param("stop please", id="two words"),
        pytest.param("STOP ALL", id="a space within"),
        pytest.param("stop stop", id="twice"),
        pytest.param("stopp", id="a longer word"),
        pytest.param("don't stop", id="the opposite"),
        pytest.param("ſtop", id="a long s, whose capital is S"),
        pytest.param("unsubscrıbe", id="a dotless i, whose capital is I"),
        pytest.param("ＳＴＯＰ", id="full-width letters"),
        pytest.param("STOP\u200b", id="an invisible character"),
        pytest.param("OPT-OUT", id="a hyphen"),
        pytest.param("arrêt", id="another language"),
        pytest.param("y", id="a letter"),
        pytest.param("\ud800", id="a lone surrogate"),
    ],
)
def test_anything_else_is_a_text_like_others(body: str) -> None:
    assert classify_keyword(body) is None
