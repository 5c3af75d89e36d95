"""The check that requirements/*.txt hold what the pyprojects ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_dev.locks import check, closure, find_flaws, find_strangers, find_unmet, read_entries, read_pins

ROOT = Path(__file__).parents[3]
HASH = "    --hash=sha256:" + "0" * 64
LOCK = f"# made by\nstarlette==1.10.0 \\\n{HASH}\nUvLoop==0.23.1 ; sys_platform != 'win32' \\\n{HASH}\n"


def test_the_locks_of_this_project_hold_what_it_asks_for() -> None:
    assert check(ROOT) == []


def test_pins_are_read_whatever_their_spelling_and_marker() -> None:
    assert read_pins(LOCK) == {"starlette": "1.10.0", "uvloop": "0.23.1"}


@pytest.mark.parametrize(
    ("requirement", "complaints"),
    [
        pytest.param("starlette>=1.10", [], id="met"),
        pytest.param("uvloop>=0.23; sys_platform != 'win32'", [], id="met, with a marker"),
        pytest.param("starlette[full]>=1.10", [], id="met, with an extra"),
        pytest.param("psycopg>=3", ["psycopg is not pinned"], id="not pinned"),
        pytest.param("starlette>=2", ["starlette is pinned at 1.10.0, but >=2 is asked for"], id="pinned too low"),
    ],
)
def test_a_requirement_without_its_pin_is_named(requirement: str, complaints: list[str]) -> None:
    assert list(find_unmet([requirement], read_pins(LOCK))) == complaints


def test_a_sound_lock_has_no_flaws() -> None:
    assert list(find_flaws(LOCK)) == []


@pytest.mark.parametrize(
    ("lock", "complaint"),
    [
        pytest.param("starlette==1.10.0\n", "starlette has no hash", id="a pin without a hash"),
        pytest.param(
            f"--index-url elsewhere\n{LOCK}", "line 1 names an address or an option", id="an option for pip"
        ),
        pytest.param(f"# https://example.com\n{LOCK}", "line 1 names an address or an option", id="an address"),
    ],
)
def test_a_lock_that_names_an_index_or_lacks_a_hash_is_refused(lock: str, complaint: str) -> None:
    assert list(find_flaws(lock)) == [complaint]


def test_a_part_of_the_lock_of_everything_has_no_strangers() -> None:
    part = LOCK[LOCK.index("UvLoop") :]
    assert read_pins(part) == {"uvloop": "0.23.1"}
    assert list(find_strangers(part, LOCK)) == []


@pytest.mark.parametrize(
    ("lock", "complaint"),
    [
        pytest.param(f"rich==1.0 \\\n{HASH}\n", "rich does not stand in main.txt", id="unknown"),
        pytest.param(
            LOCK.replace("1.10.0", "1.9.0"), "starlette is pinned in another way than in main.txt", id="version"
        ),
        pytest.param(
            LOCK.replace("win32", "linux"), "uvloop is pinned in another way than in main.txt", id="marker"
        ),
        pytest.param(
            LOCK.replace("0" * 64, "1" * 64, 1), "starlette is pinned in another way than in main.txt", id="hash"
        ),
    ],
)
def test_a_pin_that_differs_from_the_lock_of_everything_is_named(lock: str, complaint: str) -> None:
    assert list(find_strangers(lock, LOCK)) == [complaint]


def test_all_hashes_of_a_pin_belong_to_it() -> None:
    two = f"starlette==1.10.0 \\\n{HASH} \\\n{HASH.replace('0', '1')}\nrich==1.0 \\\n{HASH}\n"
    assert {name: entry.count("sha256") for name, entry in read_entries(two).items()} == {
        "starlette": 2,
        "rich": 1,
    }


def test_a_member_needs_what_those_that_it_needs_ask_for() -> None:
    asked = {
        "parley-one": ["parley-two", "starlette>=1"],
        "parley-two": ["parley-three>=0"],
        "parley-three": ["parley-two", "uvloop; sys_platform != 'win32'"],
        "parley-four": ["rich"],
    }
    assert sorted(closure("parley-one", asked)) == ["starlette>=1", "uvloop; sys_platform != 'win32'"]
