"""The stream of lines a run shows."""

from __future__ import annotations

from io import StringIO

from parley_dev.console import Console


def test_every_line_says_whose_it_is() -> None:
    stream = StringIO()
    console = Console(stream)
    console.pass_on("ingress", "listening")
    console.say("stopped")
    assert stream.getvalue() == "ingress   | listening\nparley    | stopped\n"


def test_a_terminal_gets_colours() -> None:
    stream = StringIO()
    Console(stream, coloured=True).pass_on("ingress", "listening")
    assert stream.getvalue() == "\033[36mingress   |\033[0m listening\n"
