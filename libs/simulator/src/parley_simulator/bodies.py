"""Reading the body of an HTTP answer up to a bound, however small the pieces it comes in."""

import aiohttp


async def read_at_most(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Return the body, or its first `most_bytes` and one more when it is longer."""
    pieces: list[bytes] = []
    left = most_bytes + 1
    while left > 0 and (piece := await response.content.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
