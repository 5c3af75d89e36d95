"""All parts of one simulator, put together.

The routes work on this object; it does no HTTP of its own.
"""

from parley_simulator.account import Account
from parley_simulator.background import Background
from parley_simulator.callbacks import Callbacks
from parley_simulator.control_shapes import view_message
from parley_simulator.events import EventFeed
from parley_simulator.faults import FaultScript
from parley_simulator.inbound import Desk, Inbox
from parley_simulator.lifecycle import Lifecycle, World
from parley_simulator.media import MediaFetcher, MediaShelf
from parley_simulator.messages import Message, now
from parley_simulator.numbers import NumberBook
from parley_simulator.optout import BlockList
from parley_simulator.phones import Phones
from parley_simulator.request_log import RequestLog
from parley_simulator.settings import Settings
from parley_simulator.store import MessageStore
from parley_simulator.tuning import Tuning
from parley_simulator.webhooks import Courier


class Simulator:
    """The state and the machinery of one simulated account."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.created_at = now()
        self.tuning = Tuning()
        self.account = Account(settings.account_sid, settings.auth_token)
        self.feed = EventFeed()
        self.log = RequestLog(self.feed.publish)
        self.faults = FaultScript()
        self.faults.on_strike = self.publish_faults
        self.store = MessageStore()
        self.numbers = NumberBook(settings, self.created_at)
        self.phones = Phones()
        self.blocks = BlockList()
        self.shelf = MediaShelf()
        self.background = Background()
        self.world = World(self.store, self.numbers, blocks=self.blocks, phones=self.phones)
        self.courier = Courier(self.account, self.faults, log=self.log, tuning=self._tuning)
        self.callbacks = Callbacks(self.account, self.faults, courier=self.courier, background=self.background)
        fetcher = MediaFetcher(self.courier, self.shelf, self.log)
        self.lifecycle = Lifecycle(
            self.world, self.callbacks, fetcher=fetcher, background=self.background, tuning=self._tuning
        )
        self.lifecycle.on_change = self._publish
        desk = Desk(
            account=self.account,
            faults=self.faults,
            courier=self.courier,
            log=self.log,
            background=self.background,
            lifecycle=self.lifecycle,
        )
        self.inbox = Inbox(self.world, desk, self._tuning)
        self.rest_in_flight = 0

    @property
    def origin(self) -> str:
        """Where this simulator answers, such as http://127.0.0.1:8082."""
        return self.inbox.origin

    @origin.setter
    def origin(self, value: str) -> None:
        self.inbox.origin = value

    def reset(self) -> None:
        """Forget everything that happened since the start; sequences keep growing."""
        self.background.clear()
        self.tuning = Tuning()
        for part in (
            self.store,
            self.phones,
            self.blocks,
            self.shelf,
            self.faults,
            self.log,
            self.callbacks,
            self.world.queues,
        ):
            part.clear()
        self.numbers.reset()
        self.account.reset()
        self.feed.publish("reset", {})

    def publish_faults(self) -> None:
        """Tell watchers which faults are in force and how often they struck."""
        if self.feed.watched:
            self.feed.publish("faults", list(self.faults))

    async def close(self) -> None:
        """Stop all work."""
        self.background.clear()
        self.feed.close()
        await self.courier.close()

    def _tuning(self) -> Tuning:
        return self.tuning

    def _publish(self, message: Message) -> None:
        if self.feed.watched:
            self.feed.publish("message", view_message(message))
