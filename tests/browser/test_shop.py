"""Ten texts to the example shop on the phone page, answered by each brain; the pictures of the documentation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser import shop
from browser.pictures import take_picture
from harness.browser import chromium
from harness.stack import blocking_stack

TALL = 1_900
"""Pixels, in which ten texts and their answers can be seen at once."""

Behind = Callable[[Path], AbstractContextManager[dict[str, str]]]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "behind", "talk"),
    [
        pytest.param("shop-script", shop.scripted, shop.SCRIPTED, id="the script", marks=pytest.mark.long),
        pytest.param("shop-model", shop.by_model, shop.MODEL, id="a model"),
        pytest.param("shop-bot", shop.by_bot, shop.WEBHOOK, id="a bot of the shop's own", marks=pytest.mark.long),
    ],
)
def test_ten_texts_are_answered_on_the_phone_page(
    name: str, behind: Behind, talk: shop.Talk, tmp_path: Path
) -> None:
    assert len(talk) == 10
    with (
        behind(tmp_path) as settings,
        blocking_stack(tmp_path / "stack", settings=settings | {"PARLEY_GATHER_S": "0"}) as stack,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1180, "height": TALL}, locale="en-US")
        page.goto(stack.url("simulator"))
        expect(page.get_by_role("status")).to_have_text("Live")
        theirs = page.locator(".text:not(.mine)")
        for count, (text, answer) in enumerate(talk, start=1):
            _text(page, text)
            expect(theirs).to_have_count(count, timeout=20_000)
            expect(theirs.last).to_contain_text(answer)
            expect(theirs.last).to_have_attribute("data-arrived", "yes", timeout=15_000)
        expect(theirs.last.locator(".tick")).to_have_text("✓✓ Delivered", timeout=15_000)
        take_picture(page.get_by_label("Phone", exact=True), name)


def _text(page: Page, text: str) -> None:
    page.get_by_label("Text", exact=True).fill(text)
    page.keyboard.press("Enter")
