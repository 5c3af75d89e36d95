"""Who is answered: nobody by default, never ourselves, and never a word that carriers act on."""

from typing import Any

import pytest

from parley_agent.policy import silence
from parley_common.events import Keyword, TurnOutcome
from unit.agent.builders import NUMBER, PERSON, a_channel, a_text

LISTED = frozenset({PERSON})


@pytest.mark.parametrize(
    ("channel", "text", "outcome"),
    [
        pytest.param({}, {}, None, id="all are allowed"),
        pytest.param({"allow_all": False}, {}, TurnOutcome.NOT_ALLOWED, id="nobody is, by default"),
        pytest.param({"allow_all": False, "allowed": LISTED}, {}, None, id="who is listed is"),
        pytest.param(
            {"allow_all": False, "allowed": LISTED},
            {"contact": "+15550100201"},
            TurnOutcome.NOT_ALLOWED,
            id="who is not listed is not",
        ),
        pytest.param({}, {"contact": NUMBER}, TurnOutcome.ECHO, id="our own number"),
        pytest.param(
            {"allow_all": False}, {"contact": NUMBER}, TurnOutcome.ECHO, id="an echo is one before all else"
        ),
        *(
            pytest.param({}, {"keyword": word}, TurnOutcome.KEYWORD, id=f"{word.value} is Twilio's to answer")
            for word in Keyword
        ),
        pytest.param(
            {"allow_all": False},
            {"keyword": Keyword.STOP},
            TurnOutcome.KEYWORD,
            id="a stop counts from anybody",
        ),
        pytest.param({"countries": frozenset({"US"})}, {}, None, id="a country to text with"),
        pytest.param(
            {"countries": frozenset({"GB", "CA"})}, {}, TurnOutcome.NOT_ALLOWED, id="a country not to text with"
        ),
        pytest.param(
            {"countries": frozenset({"GB"}), "allowed": LISTED},
            {},
            TurnOutcome.NOT_ALLOWED,
            id="who is listed is of a country too",
        ),
        pytest.param(
            {"countries": frozenset({"US"})},
            {"contact": "messenger:1234"},
            TurnOutcome.NOT_ALLOWED,
            id="an address that tells no country",
        ),
        pytest.param({}, {"body": "please stop this"}, None, id="a stop in a sentence is no keyword"),
    ],
)
def test_who_is_answered(channel: dict[str, Any], text: dict[str, Any], outcome: TurnOutcome | None) -> None:
    assert silence(a_text(**text), a_channel(**channel)) is outcome
