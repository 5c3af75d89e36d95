"""Where URLs stand in a text, so that nothing cuts or rewrites them. Generous: what may be a URL is one."""

from __future__ import annotations

import re

URL = re.compile(r"(?i:[a-z][a-z0-9+.-]{0,31}://|www\.|mailto:|tel:)[^\s<>\"“”。！？，、；：（）「」『』《》]+")
"""A scheme or ``www.`` and all that follows up to white space, angle brackets, quotes or full-width marks."""
