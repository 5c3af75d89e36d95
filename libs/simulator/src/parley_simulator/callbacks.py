"""Status callbacks: what each change of an outbound message tells the application.

Knows the form and the scripted faults of callbacks; `webhooks` delivers, `lifecycle` decides when.
"""

import asyncio
import time
from collections.abc import Callable

from parley_simulator.account import Account
from parley_simulator.background import Background
from parley_simulator.faults import Fault, FaultScript, Place, Subject, find
from parley_simulator.messages import Message
from parley_simulator.request_log import Kind
from parley_simulator.statuses import Status, is_final
from parley_simulator.tuning import Tuning
from parley_simulator.webhooks import Courier, Webhook

_PER_CALLBACK = frozenset({Fault.DROP_CALLBACK, Fault.DUPLICATE_CALLBACKS, Fault.DELAY})
_CARRIER_STATUSES = frozenset({Status.DELIVERED, Status.UNDELIVERED})


class Callbacks:
    """Tells the application about each change, unless a fault says otherwise."""

    def __init__(self, account: Account, faults: FaultScript, *, courier: Courier, background: Background) -> None:
        self._account = account
        self._faults = faults
        self._courier = courier
        self._background = background
        self._held: dict[str, list[Webhook]] = {}
        self._awaited: dict[str, asyncio.Event] = {}

    def report(self, message: Message, tuning: Tuning) -> None:
        """Post the message's present status in the background."""
        if not message.status_callback or not tuning.status_callbacks:
            return
        webhook = self._webhook(message)
        if message.plan.reorder_callbacks:
            self._hold(message, webhook)
            return
        rules = self._faults.draw(Place.CALLBACK, webhook.subject, _PER_CALLBACK)
        if find(rules, Fault.DROP_CALLBACK):
            self._done(message.sid)
            return
        again = find(rules, Fault.DUPLICATE_CALLBACKS)
        wait = find(rules, Fault.DELAY)
        delay_s = (wait.delay_s or 1.0) if wait else 0.0
        for _ in range(1 + (again.count if again else 0)):
            self._background.start(self._post([webhook], delay_s))

    def repeat(self, message: Message) -> None:
        """Post the present status once more, faults aside."""
        self._background.start(self._post([self._webhook(message)], 0.0))

    async def wait_for_first(self, message: Message, *, within_s: float, start: Callable[[], None]) -> None:
        """Run `start`, then wait until one callback of this message was answered."""
        event = self._awaited.setdefault(message.sid, asyncio.Event())
        start()
        try:
            await asyncio.wait_for(event.wait(), within_s)
        except TimeoutError:
            self._awaited.pop(message.sid, None)

    def clear(self) -> None:
        """Forget what is held back."""
        self._held.clear()
        self._awaited.clear()

    def _hold(self, message: Message, webhook: Webhook) -> None:
        held = self._held.setdefault(message.sid, [])
        held.append(webhook)
        last = is_final(message.status) or (message.plan.never_final and message.status is Status.SENT)
        if last:
            del self._held[message.sid]
            self._background.start(self._post(held[::-1], 0.0))

    async def _post(self, webhooks: list[Webhook], delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
        for webhook in webhooks:
            await self._courier.deliver(webhook)
            self._done(webhook.sid)

    def _done(self, sid: str) -> None:
        event = self._awaited.pop(sid, None)
        if event:
            event.set()

    def _webhook(self, message: Message) -> Webhook:
        return Webhook(
            kind=Kind.CALLBACK,
            sid=message.sid,
            url=message.status_callback,
            form=callback_form(message, self._account.sid),
            subject=Subject(
                to=message.to,
                sender=message.sender or "",
                body=message.body,
                status=message.status,
                sid=message.sid,
            ),
        )


def callback_form(message: Message, account_sid: str) -> dict[str, str]:
    """Return the form of a status callback, with the fields Twilio sends for this status."""
    form = {
        "MessageSid": message.sid,
        "MessageStatus": message.status.value,
        "SmsSid": message.sid,
        "SmsStatus": message.status.value,
        "AccountSid": account_sid,
        "From": message.sender or "",
        "To": message.to,
        "ApiVersion": "2010-04-01",
    }
    if message.service_sid:
        form["MessagingServiceSid"] = message.service_sid
    if message.error_code is not None:
        form["ErrorCode"] = str(message.error_code)
        form["ErrorMessage"] = message.error_message or ""
    if message.status in _CARRIER_STATUSES:
        form["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime(message.updated_at))
    return form
