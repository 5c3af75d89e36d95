"""Pictures of pages for the documentation, taken where PARLEY_PICTURES names a folder."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page


def take_picture(page: Page, name: str) -> None:
    """Keeps the page as it is now where pictures are wanted."""
    folder = os.environ.get("PARLEY_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")
