"""What may be told of an address: paths and queries may hold keys, as may what stands before the host. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Scheme, host and port: ``http://127.0.0.1:11434``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
