"""A person texts the bot on the phone page and the whole of Parley answers.

With PARLEY_PICTURES set to a folder, the pictures of the documentation are taken on the way.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.pictures import take_picture
from harness.browser import chromium
from harness.stack import blocking_stack


@pytest.mark.timeout(180)
def test_a_text_on_the_phone_page_is_answered_and_delivered(tmp_path: Path) -> None:
    with blocking_stack(tmp_path) as stack, chromium() as browser:
        page = browser.new_page(viewport={"width": 1180, "height": 860}, locale="en-US")
        page.goto(stack.url("simulator"))
        expect(page.get_by_role("status")).to_have_text("Live")
        theirs = page.locator(".text:not(.mine)")
        for count, (text, answer) in enumerate(
            [
                ("hello", "This is Parley"),
                ("HOURS", "Monday to Friday, 9 to 17"),
                ("ORDER 10234", "https://shop.example/orders/10234"),
            ],
            start=1,
        ):
            page.get_by_label("Text", exact=True).fill(text)
            page.keyboard.press("Enter")
            expect(theirs).to_have_count(count, timeout=15_000)
            expect(theirs.last).to_contain_text(answer)
            expect(theirs.last.locator(".tick")).to_have_text("✓✓ Delivered", timeout=15_000)
        take_picture(page, "phone")
