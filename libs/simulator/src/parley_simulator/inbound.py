"""A person texts one of our numbers: keywords, the webhook, and what its answer makes us text back.

Knows the form of the webhook and the meaning of its answer; `webhooks` does the HTTP.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from parley_common.domain.segments import count_segments
from parley_simulator import optout
from parley_simulator.account import Account
from parley_simulator.background import Background
from parley_simulator.exchange_failures import Exchange
from parley_simulator.faults import Fault, FaultScript, Place, Subject, find
from parley_simulator.inbound_form import inbound_form
from parley_simulator.lifecycle import Lifecycle, World
from parley_simulator.messages import Answer, Direction, Media, Message, Plan, message_sid, now
from parley_simulator.numbers import OwnedNumber
from parley_simulator.phone_numbers import is_toll_free
from parley_simulator.request_log import Complaint, Kind, RequestLog, without_secrets
from parley_simulator.statuses import Status
from parley_simulator.tuning import Tuning
from parley_simulator.twiml import Reply, read_answer
from parley_simulator.webhooks import Courier, Webhook

_FAULTS = frozenset({Fault.DROP_WEBHOOK, Fault.DUPLICATE_WEBHOOK, Fault.DELAY})


@dataclass(frozen=True, slots=True)
class Text:
    """What a person writes, to which of our numbers."""

    sender: str
    to: str
    body: str
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Who the inbox works with."""

    account: Account
    faults: FaultScript
    courier: Courier
    log: RequestLog
    background: Background
    lifecycle: Lifecycle


class Inbox:
    """Takes texts from people and tells the application."""

    def __init__(self, world: World, desk: Desk, tuning: Callable[[], Tuning]) -> None:
        self._world = world
        self._desk = desk
        self._tuning = tuning
        self.origin = ""

    def receive(self, text: Text, number: OwnedNumber) -> Message:
        """Accept a text for a number we own; everything else goes on in the background."""
        message = self._store(text, number)
        keyword = self._hear_keyword(message)
        webhook = self._webhook(message, number, keyword)
        rules = self._desk.faults.draw(Place.WEBHOOK, webhook.subject, _FAULTS)
        if find(rules, Fault.DROP_WEBHOOK):
            self._complain(message, 30039, words="the text was filtered and not posted, by a scripted fault")
            self._note(message, Answer.FAILED, Exchange(code=30039, words="filtered, not posted", attempts=0))
            return message
        again = find(rules, Fault.DUPLICATE_WEBHOOK)
        wait = find(rules, Fault.DELAY)
        self._desk.background.start(
            self._deliver(
                message,
                webhook,
                times=1 + (again.count if again else 0),
                delay_s=(wait.delay_s or 1.0) if wait else 0.0,
            )
        )
        return message

    def repeat(self, message: Message, number: OwnedNumber) -> None:
        """Post the webhook of a text once more, faults aside."""
        keyword = self._keyword(message)
        webhook = self._webhook(message, number, keyword)
        self._desk.background.start(self._deliver(message, webhook, times=1, delay_s=0.0))

    def _store(self, text: Text, number: OwnedNumber) -> Message:
        service = self._world.numbers.service_of(number.number)
        if service:
            self._world.numbers.stick(service, text.sender, number.number)
        at = now()
        message = self._world.store.add(
            Message(
                sid=message_sid(has_media=bool(text.media)),
                direction=Direction.INBOUND,
                sender=text.sender,
                to=text.to,
                body=text.body,
                segments=count_segments(text.body),
                status=Status.RECEIVED,
                created_at=at,
                updated_at=at,
                sent_at=at,
                service_sid=service.sid if service else None,
                media=text.media,
                answer=Answer.PENDING,
            )
        )
        self._world.phones.arrive(message)
        self._desk.lifecycle.on_change(message)
        return message

    def _keyword(self, message: Message) -> optout.Keyword | None:
        if not self._tuning().opt_out_keywords or ":" in message.to:
            return None
        return optout.read_keyword(message.body, toll_free=is_toll_free(message.to))

    def _hear_keyword(self, message: Message) -> optout.Keyword | None:
        keyword = self._keyword(message)
        if keyword is None or message.sender is None:
            return None
        scope = self._world.sender_scope(message.to)
        answer = self._world.blocks.hear(scope, message.sender, keyword)
        if answer:
            self._reply(message, Reply(answer), Plan(ignores_stop=True))
        return keyword

    def _webhook(self, message: Message, number: OwnedNumber, keyword: optout.Keyword | None) -> Webhook:
        opt_out_type = keyword.value if keyword and self._tuning().advanced_opt_out else None
        form = inbound_form(message, self._desk.account.sid, origin=self.origin, opt_out_type=opt_out_type)
        return Webhook(
            kind=Kind.WEBHOOK,
            sid=message.sid,
            url=number.sms_url,
            method=number.sms_method,
            fallback_url=number.sms_fallback_url,
            fallback_method=number.sms_fallback_method,
            form=form,
            subject=Subject(
                to=message.to, sender=message.sender or "", body=message.body, status="received", sid=message.sid
            ),
            on_retry=lambda exchange: self._note(message, Answer.RETRYING, exchange),
        )

    async def _deliver(self, message: Message, webhook: Webhook, *, times: int, delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
        if not webhook.url:
            self._note(message, Answer.FAILED, Exchange(words="the number has no webhook", attempts=0))
            return
        for exchange in await asyncio.gather(*(self._desk.courier.deliver(webhook) for _ in range(times))):
            self._take_answer(message, webhook, exchange)

    def _take_answer(self, message: Message, webhook: Webhook, exchange: Exchange) -> None:
        if exchange.failure is not None:
            self._note(message, Answer.FAILED, exchange)
            return
        self._note(message, Answer.ANSWERED, exchange)
        answer = read_answer(exchange.content_type, exchange.body)
        for problem in answer.problems:
            self._complain(message, problem.code, words=problem.words, url=webhook.url)
        for reply in answer.replies:
            self._reply(message, reply, Plan())

    def _reply(self, inbound: Message, reply: Reply, plan: Plan) -> None:
        at = now()
        message = self._world.store.add(
            Message(
                sid=message_sid(has_media=bool(reply.media_urls)),
                direction=Direction.REPLY,
                sender=inbound.to,
                to=reply.to or inbound.sender or "",
                body=reply.body[:1600],
                segments=count_segments(reply.body[:1600]),
                status=Status.QUEUED,
                created_at=at,
                updated_at=at,
                service_sid=inbound.service_sid,
                media_urls=reply.media_urls,
                status_callback=reply.status_callback,
                plan=plan,
            )
        )
        self._desk.lifecycle.begin(message)

    def _note(self, message: Message, answer: Answer, exchange: Exchange) -> None:
        message.answer = answer
        message.answer_code = exchange.code or None
        message.answer_note = exchange.words
        message.answer_attempts = exchange.attempts
        self._desk.lifecycle.on_change(message)

    def _complain(self, message: Message, code: int, *, words: str, url: str = "") -> None:
        log = self._desk.log
        log.complain(
            Complaint(
                number=log.next_number(),
                at=now(),
                code=code,
                words=words,
                sid=message.sid,
                url=without_secrets(url),
            )
        )
