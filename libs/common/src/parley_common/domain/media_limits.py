"""What Twilio takes along with one message: how many files, how large, of which kinds."""

from __future__ import annotations

MOST_FILES = 10

MOST_BYTES = 5 * 1024 * 1024
"""Of all files of one message."""

MOST_BYTES_OF_OTHERS = 500 * 1024
"""Of a file that Twilio does not fit to the phone."""

FITTED = frozenset({"image/jpeg", "image/png", "image/gif"})
"""Types that Twilio makes smaller where a phone or carrier needs it."""
