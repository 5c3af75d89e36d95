"""``docs/message-path.md`` against the code: what it names exists, and it names all there is."""

from __future__ import annotations

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

from parley_common import events, topology
from parley_common.lanes import LANES

PAGE = Path(__file__).parents[2] / "docs" / "message-path.md"
TEXT = PAGE.read_text(encoding="utf-8")
STEPS = TEXT.split("## The steps")[1].split("## The trace")[0]
""""Beside the path" is part of it."""

CODE = sorted(set(re.findall(r"`(parley_[\w.]+)`", TEXT)))
EVENTS = [kind.__name__ for kind in events.Event.__subclasses__() if kind is not events.PartEvent]
EVENTS += [kind.__name__ for kind in events.PartEvent.__subclasses__()]


@pytest.mark.parametrize("name", CODE)
def test_what_the_page_names_exists(name: str) -> None:
    words = name.split(".")
    for length in range(len(words), 0, -1):
        try:
            found: object = importlib.import_module(".".join(words[:length]))
        except ModuleNotFoundError:
            continue
        assert reduce(getattr, words[length:], found) is not None
        return
    pytest.fail(f"no module of {name} can be imported")


def test_the_page_names_code_of_every_service() -> None:
    named = {name.split(".")[0] for name in CODE}
    assert named == {
        "parley_common",
        "parley_brains",
        "parley_ingress",
        "parley_agent",
        "parley_egress",
        "parley_status",
    }


@pytest.mark.parametrize("event", EVENTS)
def test_the_page_names_every_event(event: str) -> None:
    assert f"`{event}`" in STEPS


def test_the_page_meets_the_events_in_the_order_of_their_definition() -> None:
    source = Path(events.__file__).read_text(encoding="utf-8")
    defined = [name for name in re.findall(r"^class (\w+)\(", source, re.MULTILINE) if name in EVENTS]
    chain = [name for name in defined if name not in ("ConsentChanged", "DeadLetter")]
    assert sorted(chain, key=lambda name: STEPS.index(f"`{name}`")) == chain


@pytest.mark.parametrize(
    "subject",
    [
        topology.texts("<c>"),
        topology.own("<c>"),
        topology.turn_begun("<c>"),
        topology.takeover("<c>"),
        *(lane.source("<c>") for lane in LANES),
        *(lane.chain("<c>") for lane in LANES),
        topology.REPLAYED,
        topology.RESTORED,
        topology.switch("<channel>"),
        topology.log_read("<number>"),
        topology.reports("<c>", "<part>"),
        topology.consent("<key>"),
        topology.dead_letter("<service>"),
    ],
)
def test_the_page_names_every_subject(subject: str) -> None:
    assert f"`{subject}`" in STEPS


def test_the_page_says_what_every_stream_keeps() -> None:
    streams = {str(config.name) for config in topology.streams(topology.Limits())}
    assert streams == set(re.findall(r"^\| streams? `(\w+)`", TEXT, re.MULTILINE))
