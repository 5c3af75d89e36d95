"""The Twilio accounts as this process uses them: how much at once, and whether at all.

``Gate`` says whether anything may be posted for a channel: the operator's switch and the account's breaker.
"""

from __future__ import annotations

import time

import structlog
from prometheus_client import Gauge

from parley_common.channels import Channel
from parley_common.control import Switches
from parley_common.events import FailureClass
from parley_egress.breaker import CLOSED, Breaker
from parley_egress.outcome import ACTIONS, Action, Created, InDoubt, NotSent, Outcome
from parley_egress.places import Places

_PAUSED_LOOK_S = 0.2

log = structlog.get_logger(__name__)

_open_breakers = Gauge("parley_breakers_open", "Twilio accounts that are only probed.")
_places = Gauge("parley_twilio_places", "Requests that may be at Twilio at once, the fewest of all accounts.")


class Account:
    """One account."""

    def __init__(self, most_places: int) -> None:
        self.places = Places(most_places)
        self.breaker: Breaker = CLOSED

    def learn(self, outcome: Outcome, *, is_probe: bool) -> None:
        """Takes what came of a POST into account."""
        now_s = time.monotonic()
        match outcome:
            case Created():
                self.places.succeeded()
                self.breaker = CLOSED
            case InDoubt():
                self.breaker = self.breaker.failed(now_s, is_probe=is_probe)
            case NotSent(failure=FailureClass.UNREACHABLE):
                self.breaker = self.breaker.failed(now_s, is_probe=is_probe)
            case NotSent(failure=failure) if ACTIONS[failure].action is Action.STOP_ACCOUNT:
                self.breaker = self.breaker.failed(now_s, is_probe=is_probe, at_once=True)
            case NotSent(failure=FailureClass.THROTTLED):
                self.places.throttled()
            case NotSent():
                self.breaker = CLOSED  # a refusal of this text alone: Twilio works


class Accounts:
    """All of them, by their SID."""

    def __init__(self, most_places: int) -> None:
        self._most_places = most_places
        self._accounts: dict[str, Account] = {}
        _places.set(most_places)

    def of(self, channel: Channel) -> Account:
        """The channel's account."""
        return self._accounts.setdefault(channel.account_sid, Account(self._most_places))

    def learn(self, channel: Channel, outcome: Outcome, *, is_probe: bool) -> None:
        """Takes what came of a POST into account, and tells the operator when an account stops or works again."""
        account = self.of(channel)
        was_open = account.breaker.is_open
        account.learn(outcome, is_probe=is_probe)
        if account.breaker.is_open and not was_open:
            reason = getattr(outcome, "reason", "")
            log.error("Twilio account is left in peace, all is held and one text at a time probes", reason=reason)
        elif was_open and not account.breaker.is_open:
            log.warning("Twilio account works again")
        _open_breakers.set(sum(account.breaker.is_open for account in self._accounts.values()))
        _places.set(min(account.places.limit for account in self._accounts.values()))


class Gate:
    """Whether a channel's texts may go now."""

    def __init__(self, switches: Switches, accounts: Accounts) -> None:
        self._switches = switches
        self._accounts = accounts

    def wait_s(self, channel: Channel) -> float:
        """0.0 where a text may go now, else when to look again, in seconds."""
        if self._switches.paused(channel.name):
            return _PAUSED_LOOK_S
        return self._accounts.of(channel).breaker.wait_s(time.monotonic())

    def let_through(self, channel: Channel) -> bool:
        """Notes that a text goes; says whether it is a probe."""
        account = self._accounts.of(channel)
        if not account.breaker.is_open:
            return False
        account.breaker = account.breaker.probed(time.monotonic())
        return True

    def stops(self, channel: Channel, *, is_probe: bool) -> bool:
        """Whether a text that was let through before may no longer go."""
        is_open = self._accounts.of(channel).breaker.is_open
        return self._switches.paused(channel.name) or (is_open and not is_probe)
