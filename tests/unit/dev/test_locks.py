"""The check that requirements/*.txt hold what the pyprojects ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_dev.locks import check, find_flaws, find_unmet, read_pins

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
