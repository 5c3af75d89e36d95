"""What an agent file may not say although it is one, and what is told as suspicious."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_common.domain.keywords import HELP_WORDS, START_WORDS, STOP_WORDS
from unit.brains.agent_files import FALLBACK, mistakes, warnings

CARRIER_WORDS = sorted(STOP_WORDS | START_WORDS | HELP_WORDS)
TOOL = '[tools.order]\ndescription = "d"\nparameters = {{ number = "n" }}\nurl = "{url}"\n{more}\n'


def tool(url: str, more: str = "") -> str:
    return FALLBACK + TOOL.format(url=url, more=more)


@pytest.mark.parametrize("word", CARRIER_WORDS)
def test_no_command_is_a_word_that_carriers_act_on(tmp_path: Path, word: str) -> None:
    (found,) = mistakes(tmp_path, f"{FALLBACK}[commands.{word.lower()}]\nreply = 'r'\n")
    assert found.startswith(
        f"2: commands.{word.lower()}: '{word.lower()}' is a word carriers act on (Twilio takes it"
    )
    assert found.endswith("; choose another")


@pytest.mark.parametrize("word", CARRIER_WORDS)
@pytest.mark.parametrize("key", ["words", "back_words"])
def test_no_word_of_a_handoff_is_one_that_carriers_act_on(tmp_path: Path, key: str, word: str) -> None:
    (found,) = mistakes(tmp_path, f'{FALLBACK}[handoff]\n{key} = [\n"A PERSON",\n"{word}",\n]\n')
    assert found.startswith(f"5: handoff.{key} #2: '{word}' is a word carriers act on")


def test_no_word_is_one_that_refuses_all_texts(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, f"{FALLBACK}handoff.words = ['stop texting me']")
    assert "'stop texting me' is taken for the wish to get no more texts; choose another" in found


@pytest.mark.parametrize(
    "word", ["'opening hours'", "'hours?'", "''", "' A'"], ids=["two words", "a mark", "no word", "space"]
)
def test_a_command_that_cannot_be_called_is_refused(tmp_path: Path, word: str) -> None:
    found = mistakes(tmp_path, f"{FALLBACK}[commands.{word}]\nreply = 'r'\n")
    assert f"2: command {word} can't be called; write one word without marks" in found


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            "commands.A.reply = 'r'\ncommands.a.reply = 'r'",
            "3: commands.a is the same word as commands.A; keep one",
            id="two commands",
        ),
        pytest.param(
            "commands.Human.reply = 'r'\nhandoff.words = ['HUMAN']",
            "3: handoff.words #1 is the same word as commands.Human; choose another for one of them",
            id="a command and a handoff",
        ),
        pytest.param(
            "handoff.words = ['a person', 'A  Person!']",
            "2: handoff.words #2 is the same word as handoff.words #1; keep one",
            id="a handoff twice",
        ),
        pytest.param(
            "handoff.words = ['BOT']",
            "1: handoff.back_words #1 is the same word as handoff.words #1; choose another for one of them",
            id="a handoff and the word back that is there by itself",
        ),
        pytest.param(
            "handoff.words = ['?!']", "2: handoff.words #1 is empty; write a word, or take it out", id="no"
        ),
    ],
)
def test_no_word_means_two_things(tmp_path: Path, toml: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, f"{FALLBACK}{toml}\n")
    assert found.partition(":")[2] == expected.partition(":")[2]


def test_a_command_may_be_the_word_back_but_that_is_told(tmp_path: Path) -> None:
    (found,) = warnings(tmp_path, f"{FALLBACK}commands.BOT.reply = 'r'\n")
    assert "handoff.back_words #1 is the same word as commands.BOT" in found


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('fallback = "{oder}"', "1: fallback: nothing fills {oder}; filled there: "),
        (
            'fallback = "f"\n[greeting]\nwhatsapp = "{memu}"',
            "3: greeting.whatsapp: nothing fills {memu}; did you mean {menu}?",
        ),
        (
            'fallback = "f"\n[commands.A]\nreply = "{textt}"',
            "3: commands.A.reply: nothing fills {textt}; did you mean {text}?",
        ),
        ('fallback = "f"\nfailure = "{text}"', "2: failure: nothing fills {text}; filled there: nothing"),
        (
            'fallback = "f"\nhandoff.reply = "{menu}"',
            "2: handoff.reply: nothing fills {menu}; filled there: nothing",
        ),
    ],
)
def test_no_placeholder_stays_one(tmp_path: Path, toml: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, toml)
    assert found.startswith(expected)


SCRIPT = """
fallback = "f"
[commands.ORDER]
reply = "{number}: {result.state} {menu}"
gave_up = "{number}"
failed = "{number} {text}"
tool = "order"
questions = [{ slot = "number", question = "Which, {text}?", mismatch = "{number}" }]
[commands.HOURS]
reply = "{text}"
[menus.SHOP]
prompt = "{text}"
choices = [{ label = "Hours", command = "HOURS" }]
[tools.order]
description = "d"
url = "https://example.com/{number}"
parameters = { number = "n" }
"""


def test_what_a_script_fills_is_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, SCRIPT) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'reply = "{text}',
            'reply = "{number}',
            "10: commands.HOURS.reply: nothing fills {number}; filled there:",
        ),
        ('reply = "{text}', 'reply = "{result}', "10: commands.HOURS.reply: nothing fills {result}"),
        (
            "{number}: {res",
            "{numbr}: {res",
            "4: commands.ORDER.reply: nothing fills {numbr}; did you mean {number}?",
        ),
        ('gave_up = "{number}', 'gave_up = "{text}', "5: commands.ORDER.gave_up: nothing fills {text}"),
        ("Which, {text}", "Which, {result}", "8: commands.ORDER.questions #1.question: nothing fills {result}"),
        ('label = "Hours', 'label = "{text}', "13: menus.SHOP.choices #1.label: nothing fills {text}"),
        ('fallback = "f"', 'left = "{text}"', "2: left: nothing fills {text}; filled there: {menu}"),
        (
            'label = "Hours',
            'label = "No more messages',
            "13: menus.SHOP.choices #1.label: 'No more messages' is taken",
        ),
        (
            'command = "HOURS',
            'command = "HUORS',
            "13: menus.SHOP.choices #1.command: there is no command HUORS; did you mean HOURS?",
        ),
        ('tool = "order', 'tool = "ordre', "7: commands.ORDER.tool: there is no tool ordre; did you mean order?"),
    ],
)
def test_each_mistake_of_a_script_is_told_on_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in SCRIPT
    found = mistakes(tmp_path, SCRIPT.replace(old, new))
    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize("label", CARRIER_WORDS)
def test_no_choice_is_a_word_that_carriers_act_on(tmp_path: Path, label: str) -> None:
    found = mistakes(tmp_path, SCRIPT.replace('label = "Hours', f'label = "{label.title()}'))
    assert any(one.startswith("13: menus.SHOP.choices #1: ") and "carriers act on" in one for one in found), found


def test_only_a_tools_answer_has_parts(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, SCRIPT.replace('"{text}"\n[menus', '"{text.name}"\n[menus'))
    assert "nothing fills {text.name}" in found


def test_what_a_mistake_hides_is_no_other_mistake(tmp_path: Path) -> None:
    """Without its questions a command has no slots, but it will have them."""
    (found,) = mistakes(tmp_path, SCRIPT.replace('question = "Which', 'qestion = "Which'))
    assert found.startswith("8: nothing is called commands.ORDER.questions #1.qestion; did you mean question?")


def test_no_choice_is_a_word_that_asks_for_a_person(tmp_path: Path) -> None:
    toml = SCRIPT.replace("\nfallback", '\nhandoff.words = ["opening hours"]\nfallback')
    (found,) = mistakes(tmp_path, toml.replace("Hours", "Opening hours!"))
    assert "'Opening hours!' asks for a person, by handoff.words #1" in found


def test_braces_that_are_no_placeholder_are_let_be(tmp_path: Path) -> None:
    assert mistakes(tmp_path, 'fallback = "{text} {menu} {} {1} { a } {a b} {{"') == []


@pytest.mark.parametrize("link", ["https://bit.ly/x", "http://www.tinyurl.com/x", "BIT.LY/x", "see t.co/x."])
def test_links_of_public_shorteners_are_told(tmp_path: Path, link: str) -> None:
    (found,) = warnings(tmp_path, f'\nfallback = "{link}"')
    assert found.startswith("2: fallback: carriers block texts with links of ")


@pytest.mark.parametrize("link", ["https://example.com/bit.ly", "https://orbit.ly/x", "me@bit.ly", "not.co/x"])
def test_other_links_are_not(tmp_path: Path, link: str) -> None:
    assert warnings(tmp_path, f'fallback = "{link}"') == []


def test_a_text_that_takes_many_segments_is_told_with_their_number(tmp_path: Path) -> None:
    assert warnings(tmp_path, f'fallback = "{"a" * 612}"') == []
    (long,) = warnings(tmp_path, f'fallback = "{"a" * 613}"')
    assert long == "1: fallback takes 5 SMS segments, each is billed; say less"
    (odd,) = warnings(tmp_path, f'fallback = "{"a" * 300}👋"')
    assert odd.startswith("1: fallback takes 5 SMS segments, each is billed; say less, or do without 👋, which")
    assert warnings(tmp_path, f'fallback.text = "f"\nfallback.whatsapp = "{"a" * 999}"') == []


def test_a_text_that_will_be_cut_is_told(tmp_path: Path) -> None:
    toml = f'greeting = "{"a" * 41}"\nfallback = "f"\nfailure = "{"b" * 41}"\nreply.most_characters = 40\n'
    (found,) = warnings(tmp_path, toml)
    assert found.startswith("1: greeting has 41 characters; reply.most_characters cuts it at 40")


def test_a_menu_whose_prompt_will_be_cut_is_told(tmp_path: Path) -> None:
    menu = f'[menus.ALL]\nprompt = "{"a" * 40}"\nchoices = [{{ label = "One", reply = "r" }}]\n'
    (found,) = warnings(tmp_path, f"{FALLBACK}reply.most_characters = 47\n{menu}")
    assert found.startswith("4: menus.ALL has 48 characters with its choices; reply.most_characters is 47")
    assert warnings(tmp_path, f"{FALLBACK}reply.most_characters = 48\n{menu}") == []


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("a.jpg", 5 * 1024 * 1024 + 1, "a.jpg has 5.0 MB; Twilio takes 5.0 MB of image/jpeg"),
        ("a.pdf", 500 * 1024 + 1, "a.pdf has 0.5 MB; Twilio takes 0.5 MB of application/pdf"),
        (".a.png", 10, ".a.png is hidden"),
        ("a.png", 0, "a.png is empty"),
        ("a.html", 10, "Twilio takes no text/html (a.html); send a JPEG"),
        ("a.unknown", 10, "Twilio takes no application/octet-stream"),
        ("missing.png", None, "there is no file"),
        ("../a.png", None, "../a.png is hidden or outside the agent's folder"),
        ("/etc/hostname", None, "/etc/hostname is hidden or outside the agent's folder"),
        ("http://example.com/a.png", None, "http://example.com/a.png is no https URL"),
        ("https://", None, "https:// is no https URL"),
        ("ftp://example.com/a.png", None, "is no https URL"),
    ],
)
def test_a_file_that_twilio_would_not_send_is_refused(
    tmp_path: Path, name: str, size: int | None, expected: str
) -> None:
    if size is not None:
        (tmp_path / name).write_bytes(b"x" * size)
    found = mistakes(tmp_path, f'{FALLBACK}[greeting]\nmedia = [\n"https://example.com/x.png",\n"{name}",\n]\n')
    assert len(found) <= 2
    assert found[0].startswith("5: greeting.media #2: ")
    assert expected in "\n".join(found)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.pdf", "a.vcf", "a.mp3", "a.mp4"])
def test_a_file_that_twilio_sends_is_not(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x" * 500 * 1024)
    assert warnings(tmp_path, f'{FALLBACK}greeting = {{ text = "g", media = ["{name}"] }}') == []


def test_the_files_of_one_message_are_not_too_large_together(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"x" * 3 * 1024 * 1024)
    (found,) = mistakes(tmp_path, f'{FALLBACK}greeting = {{ text = "g", media = ["a.png", "b.png"] }}')
    assert found.startswith("2: greeting.media: all files together have 6.0 MB; Twilio takes 5 MB")


def test_more_files_than_a_message_takes_are_refused(tmp_path: Path) -> None:
    media = ["https://example.com/x.png"] * 11
    (found,) = mistakes(tmp_path, f'{FALLBACK}greeting = {{ text = "g", media = {media} }}')
    assert "greeting.media has 11 files; Twilio takes 10" in found


def test_knowledge_is_a_folder_with_markdown(tmp_path: Path) -> None:
    toml = 'knowledge = "shop"\n'
    assert mistakes(tmp_path, toml)[0].startswith("1: knowledge: there is no folder ")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.txt").write_text("not read")
    assert mistakes(tmp_path, toml)[0].startswith("1: knowledge: no Markdown is in ")
    (tmp_path / "shop" / "a.md").write_text("  \n")
    assert mistakes(tmp_path, toml)[0].startswith("1: knowledge: no Markdown is in ")
    (tmp_path / "shop" / "a.md").write_text("# Returns\n\nWithin 30 days.\n")
    assert mistakes(tmp_path, toml) == []


@pytest.mark.parametrize("url", ["ftp://x/a", "example.com", "https://", "/a", "http://[x", "https://x:99999/"])
def test_a_tool_has_a_url_that_can_be_called(tmp_path: Path, url: str) -> None:
    (found,) = mistakes(tmp_path, tool(url))
    assert found.startswith(f"5: tools.order.url: '{url}' is no URL that can be called; write http:// or https://")


def test_the_parameters_of_a_url_are_declared(tmp_path: Path) -> None:
    assert mistakes(tmp_path, tool("https://x/{number}")) == []
    (found,) = mistakes(tmp_path, tool("https://x/{numbre}"))
    assert found == "5: tools.order.url: no parameter is called {numbre}; did you mean {number}?"
    (found,) = mistakes(tmp_path, tool("https://x/{other}"))
    assert found == "5: tools.order.url: no parameter is called {other}; add it to tools.order.parameters"


def test_what_a_tool_would_refuse_at_its_start_is_refused(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, tool("https://{number}/a"))
    assert "{number}" in found
    assert found.startswith("2: ")


def test_a_secret_that_is_not_set_is_told(tmp_path: Path) -> None:
    toml = tool("https://x/{number}", 'headers = { Authorization = "Bearer ${SHOP_KEY}" }')
    (found,) = warnings(tmp_path, toml)
    assert found.startswith("6: tools.order.headers.Authorization: SHOP_KEY is not set in this environment")
    assert warnings(tmp_path, toml, SHOP_KEY="secret") == []


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            f'{FALLBACK}[webhook]\nurl = "https://x/y"',
            "2: there is a table [webhook], but the brain is scripted; write",
        ),
        (
            'brain = "webhook"',
            '1: brain is "webhook" and nothing says where it is; write url in [webhook], or set',
        ),
        ('brain = "webhook"\n[webhook]', '2: brain is "webhook" and nothing says where it is'),
        ('brain = "webhook"\n[webhook]\nurl = "x/y"', "3: webhook.url: 'x/y' is no URL that can be called"),
        (
            'brain = "llm"',
            '1: brain is "llm" and nothing says which model; write model in [llm], or set PARLEY_MODEL',
        ),
        ('[llm]\nmodel = "m"\nbase_url = "x"', "3: llm.base_url: 'x' is no URL that can be called"),
    ],
)
def test_a_brain_has_what_it_needs(tmp_path: Path, toml: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, toml)
    assert found.startswith(expected)


def test_what_the_environment_sets_need_not_stand_in_the_file(tmp_path: Path) -> None:
    assert mistakes(tmp_path, 'brain = "llm"', PARLEY_MODEL="openai:m") == []
    assert mistakes(tmp_path, 'brain = "webhook"', PARLEY_WEBHOOK_URL="https://x/y") == []


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (f'brain = "scripted"\n{FALLBACK}[webhook]\nurl = "https://x/y"', "3: there is a table [webhook], but"),
        (f'brain = "scripted"\n{FALLBACK}[llm]\nmodel = "m"', "3: [llm] is not used: the brain is scripted"),
        ('[llm]\nmodel = "m"\nbase_url = "http://127.0.0.1:1/v1"', "1: the model gets no prompt of yours"),
        ('[llm]\nmodel = "m"\nprompt = "p"', "1: model m needs a server; set PARLEY_LLM_BASE_URL"),
        ('[llm]\nmodel = "openai:m"\nprompt = "p"', "1: model openai:m needs a key; set OPENAI_API_KEY"),
        (
            '[llm]\nmodel = "m"\nbase_url = "http://127.0.0.1:1/v1"\nprompt = "p"\nrequest_timeout_s = 60',
            "5: llm.request_timeout_s is longer than the 45 s of reply.within_s",
        ),
    ],
)
def test_a_table_that_does_nothing_good_is_told(tmp_path: Path, toml: str, expected: str) -> None:
    (found,) = warnings(tmp_path, toml)
    assert found.startswith(expected)
