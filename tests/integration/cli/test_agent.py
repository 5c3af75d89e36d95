"""``parley agent check`` and ``chat`` as people and CI run them: no service, no broker, no key."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
from pathlib import Path

import pytest

from integration.cli.command import Ended, run
from parley_brains.agents import EXAMPLE

pytestmark = pytest.mark.anyio

SHOP = """
greeting = "Welcome to the **shop**."
fallback = "I don't know: text PERSON."

[commands.HOURS]
reply = "9 to 17"

[handoff]
words = ["PERSON"]
reply = "A person will answer."
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(SHOP)
    return path


def environment(**settings: str) -> dict[str, str]:
    """Nothing of Parley is set but this; no broker is there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "NATS_"))}
    return kept | settings


async def parley(*arguments: str | Path, **settings: str) -> Ended:
    return await run(environment(**settings), "agent", *map(str, arguments))


async def chatted(*arguments: str | Path, lines: str, **settings: str) -> Ended:
    """What comes of a talk whose lines come through a pipe."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "parley_cli", "agent", "chat", *map(str, arguments)),
        env=environment(**settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate(lines.encode())
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_a_file_without_mistakes_is_fine(shop: Path) -> None:
    ended = await parley("check", shop)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{shop} is fine: brain scripted, 1 command")
    assert ended.out.count("\n") == 1


async def test_without_a_name_it_is_the_file_that_the_service_would_read(shop: Path) -> None:
    assert (await parley("check")).out.startswith(f"{EXAMPLE} ")
    assert (await parley("check", PARLEY_AGENT_FILE=str(shop))).out.startswith(f"{shop} ")


async def test_all_mistakes_are_lines_that_an_editor_can_follow(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(SHOP.replace("9 to 17", "{oder}, https://bit.ly/x") + "[commands.STOP]\nreply = 'no'\n")
    ended = await parley("check", path)
    assert ended.code == 1
    *lines, total = ended.out.splitlines()
    assert [line.removeprefix(f"{path}:").partition(":")[0] for line in lines] == ["6", "6", "11"]
    assert f"{path}:6: commands.HOURS.reply: nothing fills {{oder}}; filled there: " in ended.out
    assert f"{path}:6: warning: commands.HOURS.reply: carriers block" in ended.out
    assert total == f"{path}: 2 mistakes and 1 warning."


async def test_what_only_looks_odd_is_told_and_does_not_fail(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(SHOP.replace("9 to 17", "https://bit.ly/x"))
    ended = await parley("check", path)
    assert ended.code == 0
    assert f"{path} can be used, with 1 warning: brain scripted" in ended.out


async def test_a_key_that_is_not_there_where_a_file_is_checked_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('fallback = "f"\n[llm]\nmodel = "openai:some"\nprompt = "p"\n')
    ended = await parley("check", path, OPENAI_API_KEY="")
    assert ended.code == 0, ended
    assert "warning: the brain cannot start in this environment: " in ended.out
    assert "OPENAI_API_KEY" in ended.out
    assert "is fine: brain llm" in (await parley("check", path, OPENAI_API_KEY="k")).out


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        pytest.param(
            'brain = "webhook"\n[webhook]\nurl = "https://x/y"\nheaders = { Host = "x" }\n',
            "2: [webhook] headers: Host is written by Parley; leave it out",
            id="a header of Parley's own",
        ),
        pytest.param(
            '[llm]\nmodel = "openai:"\nprompt = "p"\n',
            "1: model openai: has no name; write it after the colon, as in openai:NAME",
            id="no model",
        ),
    ],
)
async def test_what_cannot_start_anywhere_is_a_mistake(tmp_path: Path, toml: str, told: str) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(toml)
    ended = await parley("check", path)
    assert ended.code == 1, ended
    assert f"{path}:{told}\n" in ended.out


async def test_a_secret_that_cannot_be_used_is_a_mistake_and_a_missing_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('brain = "webhook"\n[webhook]\nurl = "https://x/y"\n')
    assert (await parley("check", path)).code == 0
    ended = await parley("check", path, PARLEY_WEBHOOK_SECRET="short")
    assert (ended.code, "short" in ended.out) == (1, False)


@pytest.mark.parametrize("action", ["check", "chat"])
async def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, action: str) -> None:
    ended = await parley(action, tmp_path / "none.toml")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"parley: agent file {tmp_path / 'none.toml'} cannot be read: No such file")
    assert ended.err.count("\n") == 1


async def test_no_talk_begins_with_a_file_that_has_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(SHOP + "[commands.STOP]\nreply = 'no'\n")
    ended = await chatted(path, lines="hi\n")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"parley: agent file {path}:11: commands.STOP: 'STOP' is a word carriers act on")


async def test_a_talk_through_a_pipe_reads_as_one(shop: Path) -> None:
    ended = await chatted(shop, lines="hi\nhours?\nwhat\nSTOP\nperson\nhours\nbot\nhours")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "you> hi\nbot> Welcome to the shop.\n"
        "you> hours?\nbot> 9 to 17\n"
        "you> what\nbot> I don't know: text PERSON.\n"
        "you> STOP\n   # nothing comes back\n   # Twilio acts on STOP by itself; the agent is not asked\n"
        "you> person\nbot> A person will answer.\n   # handed over to a person, for 24 h at most\n"
        "you> hours\n   # nothing comes back\n"
        "   # a person answers now, not the agent; BOT brings the agent back\n"
        "you> bot\nbot> I am back. How can I help?\n"
        "you> hours\nbot> 9 to 17\n"
    )


async def test_parts_and_segments_are_shown_where_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    path.write_text(f'fallback = "{"word " * 400}👋"\nreply.most_characters = 5000\n')
    ended = await chatted(path, "-v", lines="hi\nagain\n")
    assert "bot> (1/2) word" in ended.out
    assert "   # 2 parts, 18 segments of GSM-7/UCS-2, 2012 characters" in ended.out
    assert "segment" not in (await chatted(path, "-v", "--whatsapp", lines="hi\nagain\n")).out


async def test_slash_commands_are_for_the_chat_and_not_for_the_agent(shop: Path, tmp_path: Path) -> None:
    picture = tmp_path / "my picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    sending = ("/send", "/send none.png", f"/send '{picture}' look")
    lines = ("hi", *sending, "/nope", "/memory", "/new", "hi", " /help", "/help", "/quit", "hi")
    out = (await chatted(shop, lines="\n".join(lines))).out
    assert f"you> /send '{picture}' look\nbot> I don't know: text PERSON.\n" in out
    assert "you> /send\n   # nothing was sent: write /send FILE [TEXT]" in out
    assert "you> /send none.png\n   # nothing was sent: No such file or directory\n" in out
    assert "# there is no command /nope; /help lists them" in out
    assert "# nothing is remembered" in out
    assert out.count("Welcome") == 2
    assert "you>  /help\nbot> I don't know: text PERSON.\n" in out
    assert out.endswith("/quit              end, as do ^D and ^C\n")


async def test_what_the_agent_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "steer.toml"
    path.write_text('fallback = "{text}"\n')
    out = (await chatted(path, "--whatsapp", lines="x\na\x1b[2Jb 👩\u200d🚀\n")).out
    assert "\x1b" not in out
    assert "bot> a\\x1b[2Jb 👩\u200d🚀\n" in out


async def test_a_failing_brain_is_shown_as_the_person_sees_it_and_explained(tmp_path: Path) -> None:
    path = tmp_path / "hook.toml"
    path.write_text(
        'brain = "webhook"\nfailure = "FAILURE"\n[webhook]\nurl = "http://127.0.0.1:9/"\nretries = 0\n'
    )
    ended = await chatted(path, lines="hi\n", PARLEY_WEBHOOK_SECRET="s" * 40)
    assert ended.code == 0, ended
    assert ended.out.startswith("you> hi\nbot> FAILURE\n   # the brain failed: ")


async def typed(shop: Path, *keys: bytes) -> tuple[int, str]:
    """A talk at a terminal: each is typed at a prompt of its own. Returns the exit code and all that was seen."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _AT_A_TERMINAL, "agent", "chat", str(shop)),
        env=environment(TERM="dumb"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = ""
    try:
        async with asyncio.timeout(60):
            for prompts, key in enumerate(keys, 1):
                while seen.count("you> ") < prompts or _echoes(ours):
                    seen += await _read(ours)
                os.write(ours, key)
            looks = 0
            while process.returncode is None:
                seen += await _read(ours)
                looks += 1
                if looks % 100 == 0:  # readline misses a ^C that comes right before it waits; people type another
                    os.write(ours, keys[-1])
            return process.returncode, seen
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)


async def _read(terminal: int) -> str:
    await asyncio.sleep(0.02)
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # nothing yet, or the other side is gone
        return ""


def _echoes(terminal: int) -> bool:
    """Whether lines are not edited yet: a ^D that is typed before would be lost."""
    return bool(termios.tcgetattr(terminal)[3] & termios.ICANON)


_AT_A_TERMINAL = (
    "import fcntl, signal, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from parley_cli.__main__ import main; main()"
)
"""The command in a session whose terminal is standard input, so that a typed ^C reaches it.

Who runs the tests in the background may have had ^C ignored, which processes inherit.
"""


@pytest.mark.parametrize("end", [b"\x03", b"\x04", b"/quit\r"], ids=["^C", "^D", "/quit"])
async def test_a_talk_at_a_terminal_ends_cleanly(shop: Path, end: bytes) -> None:
    code, seen = await typed(shop, b"hi\r", b"hours\r", end)
    assert code == 0
    assert "Traceback" not in seen
    assert "by SMS. /help lists commands, ^D ends." in seen
    assert "bot> 9 to 17" in seen
