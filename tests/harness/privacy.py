"""What must stand in no log line: numbers, what people wrote, tokens and keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.stack import Stack

_NUMBER = re.compile(r"(?<![0-9a-f])\+?1?555\d{7}(?!\d)")
_SECRETS = ("TWILIO_AUTH_TOKEN", "PARLEY_API_KEY", "PARLEY_HASH_KEY", "PARLEY_SECRET_KEY")


def leaks(stack: Stack, texts: Sequence[str] = ()) -> list[str]:
    """Every log line of the services and the broker that holds a number, a secret or one of these texts."""
    forbidden = [stack.environment[name] for name in _SECRETS] + list(texts)
    lines = [line for one in stack.running if one.row.name != "simulator" for line in one.output.splitlines()]
    lines += (stack.plan.data_dir / "nats-server.log").read_text().splitlines()
    assert len(lines) > 10, "the services wrote hardly anything: is this the right place to look?"
    return [line for line in lines if _NUMBER.search(line) or any(word in line for word in forbidden)]
