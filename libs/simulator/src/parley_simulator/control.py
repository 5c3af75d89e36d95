"""A client of the control routes, for tests and tools: texting, faults, what a phone shows.

Speaks to any running simulator by its address; knows nothing of what is inside.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import msgspec

from parley_simulator.control_decoding import Refusal
from parley_simulator.control_shapes import (
    Accepted,
    AccountView,
    InboundText,
    LogView,
    MessagePage,
    MessageView,
    PhoneView,
    TokenChange,
    TokenState,
)
from parley_simulator.faults import Active, Rule
from parley_simulator.tuning import Tuning

T = TypeVar("T")
_POLL_S = 0.02
_LIMIT = aiohttp.ClientTimeout(total=30)


class RefusedError(Exception):
    """The simulator refused a control request; `refusal` names the field and the fix."""

    def __init__(self, status: int, refusal: Refusal) -> None:
        super().__init__(f"{status}: {refusal.error} ({refusal.fix})")
        self.status = status
        self.refusal = refusal


class SimulatorControl:
    """One simulator, steered over HTTP; use it as an async context manager."""

    def __init__(self, url: str) -> None:
        self._base = f"{url.rstrip('/')}/_simulator"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def account(self) -> AccountView:
        """Return the account it plays."""
        return await self._ask("GET", "account", AccountView)

    async def text(self, text: InboundText) -> Accepted:
        """Let a person text one of the account's numbers."""
        return await self._ask("POST", "inbound", Accepted, body=text)

    async def messages(self, *, since_sequence: int = 0, limit: int = 1_000, **filters: str) -> MessagePage:
        """Return messages in the order of acceptance; filters are direction, to, sender, person."""
        query = {"from" if name == "sender" else name: value for name, value in filters.items()}
        query |= {"since_sequence": str(since_sequence), "limit": str(limit)}
        return await self._ask("GET", "messages", MessagePage, query=query)

    async def phone(self, number: str) -> PhoneView:
        """Return a phone with its texts in the order of arrival."""
        return await self._ask("GET", f"phones/{number}", PhoneView)

    async def wait_for_phone(
        self, number: str, shows: Callable[[tuple[MessageView, ...]], bool], *, within_s: float = 10.0
    ) -> tuple[MessageView, ...]:
        """Return the phone's texts as soon as `shows` is true of them, else raise TimeoutError."""
        deadline = time.monotonic() + within_s
        while True:
            texts = (await self.phone(number)).texts
            if shows(texts):
                return texts
            if time.monotonic() > deadline:
                raise TimeoutError(f"{number} showed {len(texts)} texts after {within_s} s, not what was awaited")
            await asyncio.sleep(_POLL_S)

    async def add_fault(self, rule: Rule) -> Active:
        """Switch a fault on."""
        return await self._ask("POST", "faults", Active, body=rule)

    async def faults(self) -> list[Active]:
        """Return the faults in force and how often each struck."""
        return await self._ask("GET", "faults", list[Active])

    async def remove_fault(self, fault_id: str) -> None:
        """Switch one fault off."""
        await self._send("DELETE", f"faults/{fault_id}")

    async def clear_faults(self) -> None:
        """Switch all faults off."""
        await self._send("DELETE", "faults")

    async def change_settings(self, **changes: object) -> Tuning:
        """Change delays, rates and limits; the names are those of `Tuning`."""
        return await self._ask("POST", "settings", Tuning, body=changes)

    async def change_tokens(self, change: TokenChange) -> TokenState:
        """Set a next token, promote it, or set a shared key."""
        return await self._ask("POST", "tokens", TokenState, body=change)

    async def redeliver(self, sid: str) -> None:
        """Post the webhook of a message once more."""
        await self._send("POST", "redeliver", body={"sid": sid})

    async def log(self, limit: int = 500) -> LogView:
        """Return the newest exchanges and debugger entries."""
        return await self._ask("GET", "log", LogView, query={"limit": str(limit)})

    async def reset(self) -> None:
        """Forget everything that happened since the start."""
        await self._send("POST", "reset")

    async def _ask(
        self, method: str, path: str, kind: type[T], *, body: object = None, query: dict[str, str] | None = None
    ) -> T:
        return msgspec.json.decode(await self._send(method, path, body=body, query=query), type=kind)

    async def _send(
        self, method: str, path: str, *, body: object = None, query: dict[str, str] | None = None
    ) -> bytes:
        if self._session is None:
            raise RuntimeError("use SimulatorControl as an async context manager")
        data = None if body is None else msgspec.json.encode(body)
        async with self._session.request(method, f"{self._base}/{path}", data=data, params=query) as response:
            answer = await response.read()
            if response.status >= 400:
                raise RefusedError(response.status, msgspec.json.decode(answer, type=Refusal))
            return answer
