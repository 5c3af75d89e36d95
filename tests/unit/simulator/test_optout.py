"""Keywords and the block list."""

import pytest

from parley_simulator.optout import BlockList, Keyword, read_keyword


@pytest.mark.parametrize(
    ("body", "toll_free", "expected"),
    [
        pytest.param("STOP", False, Keyword.STOP, id="stop"),
        pytest.param("  optout\n", False, Keyword.STOP, id="any case, spaces around"),
        pytest.param("stop please", False, None, id="more than the word"),
        pytest.param("Yes", False, Keyword.START, id="yes"),
        pytest.param("Yes", True, None, id="yes to a toll-free number"),
        pytest.param("unstop", True, Keyword.START, id="unstop"),
        pytest.param("info", False, Keyword.HELP, id="help"),
        pytest.param("", False, None, id="nothing"),
    ],
)
def test_a_keyword_is_the_whole_text(body: str, toll_free: bool, expected: Keyword | None) -> None:
    assert read_keyword(body, toll_free=toll_free) is expected


def test_each_keyword_is_answered_when_it_changes_something() -> None:
    blocks = BlockList()
    assert blocks.hear("us", "them", Keyword.START) is None
    assert "unsubscribed" in (blocks.hear("us", "them", Keyword.STOP) or "")
    assert blocks.hear("us", "them", Keyword.STOP) is None
    assert blocks.hear("us", "them", Keyword.HELP)
    assert blocks.blocks("us", "them")
    assert not blocks.blocks("our other number", "them")
    assert "re-subscribed" in (blocks.hear("us", "them", Keyword.START) or "")
    assert not blocks.blocks("us", "them")
