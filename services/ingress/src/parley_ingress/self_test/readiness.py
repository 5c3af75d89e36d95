"""Waits until the services can do their work, and says which cannot and why."""

from __future__ import annotations

import msgspec

from parley_common.domain.redaction import redact_text
from parley_ingress.self_test.asking import Answer, Asking, Deadline, Failed, Unreachable


class Ready(msgspec.Struct, frozen=True):
    """What ``/readyz`` says."""

    ready: bool
    problems: tuple[str, ...] = ()


async def wait_ready(asking: Asking, name: str, url: str, deadline: Deadline) -> str:
    """Returns once the service is ready. Raises ``Failed``."""
    while True:
        problem = await _problem(asking, name, url)
        if problem is None:
            return f"{name} is ready"
        if not await deadline.pause():
            raise Failed(f"{problem} (waited {deadline.total_s:g} s)")


async def _problem(asking: Asking, name: str, url: str) -> str | None:
    """Why the service is not ready, None where it is."""
    try:
        answer = await asking.get(f"{url}/readyz")
    except Unreachable as error:
        return (
            f"{name} does not answer at {url} ({error}): see that its pod runs and that a NetworkPolicy lets this "
            f"one reach it"
        )
    return _read(name, url, answer)


def _read(name: str, url: str, answer: Answer) -> str | None:
    try:
        told = msgspec.json.decode(answer.body, type=Ready)
    except msgspec.DecodeError:
        return f"{url} answers {answer.status} to /readyz and is no service of Parley: see where its Service leads"
    if told.ready and answer.status == 200:
        return None
    return f"{name} is not ready, its log tells more: {redact_text('; '.join(told.problems)) or answer.status}"
