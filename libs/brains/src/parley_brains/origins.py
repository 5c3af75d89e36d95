"""What may be told of an address: paths and queries may hold keys, as may what stands before the host."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Scheme, host and port: ``http://127.0.0.1:11434``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def tell_no_urls() -> None:
    """Has the HTTP client log no everyday lines, which hold whole URLs. For whoever makes one."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
