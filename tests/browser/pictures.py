"""Pictures of pages for the documentation, taken where PARLEY_PICTURES names a folder."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Locator, Page


def take_picture(shown: Page | Locator, name: str) -> None:
    """Keeps a page, or a part of one, as it is now where pictures are wanted."""
    folder = os.environ.get("PARLEY_PICTURES")
    if folder:
        shown.screenshot(path=Path(folder) / f"{name}.png")
