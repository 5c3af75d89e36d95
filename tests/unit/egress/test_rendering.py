"""Rendering: Markdown becomes parts that Twilio takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.phone_numbers import Network
from parley_common.domain.segments import is_gsm_7, utf_16_units
from parley_common.events import Media, Reply
from parley_egress.rendering import media_of, part_id, render
from unit.egress.samples import PICTURE


def bodies(text: str, most_parts: int = 10) -> tuple[str, ...]:
    return render(Reply(id="r", text=text), most_parts)


def test_markdown_is_made_readable() -> None:
    (body,) = bodies("**Hello**, see [the page](https://example.com/a_b)")
    assert body == "Hello, see the page (https://example.com/a_b)"


def test_smart_punctuation_does_not_cost_the_cheap_alphabet() -> None:
    (body,) = bodies("It’s “fine” – really…")
    assert is_gsm_7(body)
    assert body == 'It\'s "fine" - really...'


def test_a_short_reply_is_one_part_without_a_number() -> None:
    assert bodies("hello") == ("hello",)


def test_a_long_reply_is_split_and_numbered_in_order() -> None:
    parts = bodies("word " * 1_000)
    assert [part.split(" ", 1)[0] for part in parts] == [f"({n}/{len(parts)})" for n in range(1, len(parts) + 1)]
    assert sum(part.count("word") for part in parts) == 1_000


def test_what_is_more_than_the_most_parts_is_left_out_and_said() -> None:
    parts = bodies("word " * 3_000, most_parts=2)
    assert len(parts) == 2
    assert parts[-1].endswith(" ...")


@pytest.mark.parametrize("text", ["", " \n ", "![]()"], ids=repr)
def test_a_reply_that_says_nothing_has_no_part(text: str) -> None:
    assert bodies(text) == ()


@pytest.mark.parametrize(
    "text", [pytest.param("", id="empty"), pytest.param(" \n ", id="blank"), pytest.param("![]()", id="nothing")]
)
def test_an_attachment_alone_is_one_part_without_a_body(text: str) -> None:
    assert render(Reply(id="r", text=text, media=(PICTURE,)), 10) == ("",)


FORMATTED = "# Prices\n\n**Now** ~~$50~~ $30 – [more](https://x.com/a_b)"


@pytest.mark.parametrize(
    ("network", "body"),
    [
        (Network.SMS, "Prices\n\nNow ~$50~ $30 - more (https://x.com/a_b)"),
        (Network.WHATSAPP, "*Prices*\n\n*Now* ~$50~ $30 – more (https://x.com/a_b)"),
        (Network.MESSENGER, "Prices\n\nNow ~$50~ $30 – more (https://x.com/a_b)"),
        (Network.RCS, "Prices\n\nNow ~$50~ $30 – more (https://x.com/a_b)"),
    ],
)
def test_each_network_gets_what_it_can_show(network: Network, body: str) -> None:
    """Formatting where there is any; typography gives way where it would cost."""
    assert render(Reply(id="r", text=FORMATTED), 10, network) == (body,)


def pictures(count: int) -> tuple[Media, ...]:
    return tuple(Media(url=f"https://m.example/{n}.jpg", content_type="image/jpeg") for n in range(count))


@pytest.mark.parametrize(
    ("network", "text", "media", "carried"),
    [
        pytest.param(Network.SMS, "hi", 10, [10], id="an MMS takes ten"),
        pytest.param(Network.SMS, "hi", 11, [10, 1], id="the eleventh goes with a second"),
        pytest.param(Network.SMS, "word " * 800, 2, [2, 0, 0], id="all with the first part of a long text"),
        pytest.param(Network.WHATSAPP, "hi", 1, [1], id="WhatsApp takes one"),
        pytest.param(Network.WHATSAPP, "hi", 3, [1, 1, 1], id="each further one is a message of its own"),
        pytest.param(Network.WHATSAPP, "", 2, [1, 1], id="attachments alone"),
        pytest.param(Network.WHATSAPP, "word " * 800, 2, [1, 1, 0], id="with the parts of a long text"),
    ],
)
def test_attachments_go_with_the_first_parts_that_take_them(
    network: Network, text: str, media: int, carried: list[int]
) -> None:
    reply = Reply(id="r", text=text, media=pictures(media))
    parts = render(reply, 10, network)
    carried_by = [media_of(reply, number, network) for number in range(len(parts))]
    assert [len(some) for some in carried_by] == carried
    assert sum(carried_by, ()) == reply.media


def test_an_attachment_is_never_left_out_for_the_most_parts() -> None:
    assert len(render(Reply(id="r", text="word " * 800, media=pictures(4)), 2, Network.WHATSAPP)) == 4


@given(st.text(max_size=4_000), st.integers(1, 12), st.sampled_from(list(Network)))
def test_no_reply_makes_more_than_the_most_parts_and_all_fit(text: str, most_parts: int, network: Network) -> None:
    parts = render(Reply(id="r", text=text), most_parts, network)
    assert 0 <= len(parts) <= most_parts
    assert all(utf_16_units(part) <= 1_600 for part in parts)


@given(st.text(alphabet="ab *_#[]()`.\n👍🏽é”", max_size=3_000))
def test_rendering_twice_gives_the_same_parts(text: str) -> None:
    assert bodies(text) == bodies(text)


def test_part_ids_are_fixed_for_ever() -> None:
    """Callbacks of texts already sent carry these ids: another formula would lose their evidence."""
    assert part_id("reply-1", 0) == "8ab79b3a96f4fca41037150728c0280f"


@given(st.tuples(st.text(), st.integers(0, 99)), st.tuples(st.text(), st.integers(0, 99)))
def test_two_parts_share_an_id_only_if_they_are_the_same(one: tuple[str, int], other: tuple[str, int]) -> None:
    assert (part_id(*one) == part_id(*other)) == (one == other)
