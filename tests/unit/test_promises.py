"""``docs/promises.md`` against the tests: every promise has a test of its name in each file that is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "promises.md"
ROWS = re.findall(r"^\| P(\d+) \| .+? \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
NAMED = [(int(number), path) for number, files in ROWS for path in re.findall(r"`([\w/]+\.py)`", files)]


def test_every_promise_has_a_row_and_every_row_a_test() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 15))
    assert {number for number, _ in NAMED} == set(range(1, 15))


@pytest.mark.parametrize(("number", "path"), NAMED)
def test_the_named_file_has_a_test_of_the_promise(number: int, path: str) -> None:
    source = (TESTS / path).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def test_p{number}_", source, re.MULTILINE)


def test_no_test_is_named_after_a_promise_that_the_page_does_not_name_there() -> None:
    found = {
        (int(number), str(path.relative_to(TESTS)))
        for path in TESTS.rglob("test_*.py")
        for number in re.findall(r"^(?:async )?def test_p(\d+)_", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == set(NAMED)
