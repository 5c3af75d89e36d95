"""The control routes under `/_simulator/`: what a person or a test does that Twilio's API has no word for.

Thin: each route reads a typed body, calls the simulator, and gives a typed answer.
"""

from collections.abc import Awaitable, Callable
from itertools import islice

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from parley_common.domain.segments import count_segments
from parley_simulator import control_shapes as shapes
from parley_simulator.control_decoding import ControlError, json_answer, read_body, refuse
from parley_simulator.faults import Rule
from parley_simulator.inbound import Text
from parley_simulator.loopback import refuse_strangers
from parley_simulator.media import MediaError, check_size
from parley_simulator.messages import Message
from parley_simulator.numbers import OwnedNumber
from parley_simulator.phone_numbers import normalize
from parley_simulator.rest.gate import simulator_of
from parley_simulator.simulator import Simulator
from parley_simulator.tuning import Tuning, change_tuning

_MOST_MESSAGES = 10_000
_FILTERS: dict[str, Callable[[Message], str | None]] = {
    "direction": lambda message: message.direction,
    "to": lambda message: message.to,
    "from": lambda message: message.sender,
    "person": lambda message: message.person,
}
_Endpoint = Callable[[Simulator, Request], Awaitable[Response]]


def control_routes() -> list[Route]:
    """Return all control routes."""
    table: list[tuple[str, str, _Endpoint]] = [
        ("account", "GET", read_account),
        ("inbound", "POST", receive_text),
        ("messages", "GET", list_messages),
        ("phones", "GET", list_phones),
        ("phones/{number}", "GET", read_phone),
        ("faults", "GET", list_faults),
        ("faults", "POST", add_fault),
        ("faults", "DELETE", clear_faults),
        ("faults/{fault_id}", "DELETE", remove_fault),
        ("settings", "GET", read_settings),
        ("settings", "POST", change_settings),
        ("tokens", "POST", change_tokens),
        ("redeliver", "POST", redeliver),
        ("reset", "POST", reset),
        ("log", "GET", read_log),
        ("segments", "POST", measure_text),
        ("events", "GET", watch),
    ]
    return [Route(f"/_simulator/{path}", _control(call), methods=[method]) for path, method, call in table]


async def read_account(simulator: Simulator, _: Request) -> Response:
    """Who we are, without secrets."""
    settings = simulator.settings
    return json_answer(
        shapes.AccountView(
            account_sid=settings.account_sid,
            numbers=settings.numbers,
            messaging_service_sid=settings.messaging_service_sid,
            public_url=settings.public_url,
        )
    )


async def receive_text(simulator: Simulator, request: Request) -> Response:
    """A person texts one of our numbers, once or many times."""
    text = await read_body(request, shapes.InboundText)
    sender, number, to = _people(simulator, text)
    if not text.body and not text.media:
        raise ControlError("the text is empty", field="body", fix="give a body or media")
    for place, attachment in enumerate(text.media):
        try:
            check_size(attachment.content_type, len(attachment.data))
        except MediaError as error:
            raise ControlError(str(error), field=f"media.{place}", fix="attach something smaller") from error
    sids = tuple(
        simulator.inbox.receive(_one_text(simulator, text, sender=sender, to=to, nth=nth), number).sid
        for nth in range(text.count)
    )
    return json_answer(shapes.Accepted(sid=sids[0], sids=sids), 201)


async def list_messages(simulator: Simulator, request: Request) -> Response:
    """Messages in the order of acceptance."""
    wanted = _wish(request)
    latest = _whole(request, "latest", 0)
    if latest and "person" in request.query_params:
        rows = tuple(simulator.store.thread(wanted["person"], min(latest, _MOST_MESSAGES)))
        return json_answer(
            shapes.MessagePage(tuple(map(shapes.view_message, rows)), simulator.store.last_sequence, more=False)
        )
    limit = min(_whole(request, "limit", 1_000), _MOST_MESSAGES)
    since = _whole(request, "since_sequence", 0)
    matching = (message for message in simulator.store.since(since) if _fits(message, wanted))
    found = list(islice(matching, limit + 1))
    more = len(found) > limit
    shown = found[:limit]
    last = shown[-1].sequence if more else simulator.store.last_sequence
    return json_answer(shapes.MessagePage(tuple(map(shapes.view_message, shown)), last, more))


async def list_phones(simulator: Simulator, _: Request) -> Response:
    """The numbers of phones that had texts, newest first."""
    return json_answer(simulator.phones.numbers(200))


async def read_phone(simulator: Simulator, request: Request) -> Response:
    """One phone, its texts in the order of arrival."""
    number = request.path_params["number"]
    texts = tuple(map(shapes.view_message, simulator.phones.view(normalize(number) or number)))
    return json_answer(shapes.PhoneView(number, texts))


async def list_faults(simulator: Simulator, _: Request) -> Response:
    """All rules with how often they struck."""
    return json_answer(list(simulator.faults))


async def add_fault(simulator: Simulator, request: Request) -> Response:
    """Switch a rule on."""
    rule = await read_body(request, Rule)
    misplaced = rule.misplaced()
    if misplaced:
        raise ControlError(misplaced, field="where", fix="choose a place this fault can happen at")
    active = simulator.faults.add(rule)
    simulator.publish_faults()
    return json_answer(active, 201)


async def clear_faults(simulator: Simulator, _: Request) -> Response:
    """Switch all rules off."""
    simulator.faults.clear()
    simulator.publish_faults()
    return Response(status_code=204)


async def remove_fault(simulator: Simulator, request: Request) -> Response:
    """Switch one rule off."""
    if not simulator.faults.remove(request.path_params["fault_id"]):
        raise ControlError("there is no such fault", field="id", fix="GET /_simulator/faults", status=404)
    simulator.publish_faults()
    return Response(status_code=204)


async def read_settings(simulator: Simulator, _: Request) -> Response:
    """The delays, rates and limits in force."""
    return json_answer(simulator.tuning)


async def change_settings(simulator: Simulator, request: Request) -> Response:
    """Change some of them."""
    changes = await read_body(request, dict[str, object])
    try:
        simulator.tuning = change_tuning(simulator.tuning, changes)
    except msgspec.ValidationError as error:
        raise refuse(error, Tuning) from error
    simulator.feed.publish("settings", simulator.tuning)
    return json_answer(simulator.tuning)


async def change_tokens(simulator: Simulator, request: Request) -> Response:
    """Rotate auth tokens, or switch to a shared key."""
    change = await read_body(request, shapes.TokenChange)
    account = simulator.account
    if change.next:
        account.secondary = change.next
    promoted = change.promote and account.promote()
    if change.promote and not promoted:
        raise ControlError("there is no next token", field="promote", fix="give next too", status=409)
    if change.shared_key is not msgspec.UNSET:
        account.shared_key = change.shared_key
    key = account.shared_key.key if account.shared_key else None
    return json_answer(shapes.TokenState(promoted, account.secondary is not None, key))


async def redeliver(simulator: Simulator, request: Request) -> Response:
    """Post the webhook or the last status callback of a message once more."""
    sid = (await read_body(request, shapes.Redelivery)).sid
    message = simulator.store.get(sid)
    if message is None:
        raise ControlError(f"there is no message {sid}", field="sid", fix="GET /_simulator/messages", status=404)
    number = simulator.numbers.get(message.to)
    if message.is_inbound and number:
        simulator.inbox.repeat(message, number)
    elif message.status_callback:
        simulator.callbacks.repeat(message)
    else:
        raise ControlError("this message has no status callback", field="sid", fix="choose another", status=409)
    return json_answer({"sid": sid}, 202)


async def reset(simulator: Simulator, _: Request) -> Response:
    """Forget everything that happened since the start."""
    simulator.reset()
    return Response(status_code=204)


async def read_log(simulator: Simulator, request: Request) -> Response:
    """What went over the wire lately."""
    limit = _whole(request, "limit", 500)
    log = simulator.log
    entries, complaints = list(log.entries), list(log.complaints)
    return json_answer(shapes.LogView(tuple(entries[-limit:]), tuple(complaints[-limit:])))


async def measure_text(_: Simulator, request: Request) -> Response:
    """How a text would be cut into segments, for the page's counter."""
    text = await read_body(request, shapes.Draft)
    size = count_segments(text.body)
    each = size.encoding.single_units if size.segments == 1 else size.encoding.part_units
    return json_answer(shapes.SegmentsView(size.encoding, size.segments, size.units, each * size.segments))


async def watch(simulator: Simulator, _: Request) -> Response:
    """Server-sent events of all that happens."""
    return StreamingResponse(
        simulator.feed.watch(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


def _control(call: _Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            refuse_strangers(request)
            return await call(simulator_of(request), request)
        except ControlError as error:
            return json_answer(error.refusal, error.status)

    return endpoint


def _people(simulator: Simulator, text: shapes.InboundText) -> tuple[str, OwnedNumber, str]:
    """Return who texts, the number that gets it, and how the number is written (with its channel)."""
    sender = normalize(text.sender)
    if sender is None:
        raise ControlError(f"{text.sender} is not a phone number", field="from", fix="write it as +15550100123")
    to = text.to or simulator.settings.numbers[0]
    number = simulator.numbers.get(normalize(to) or "")
    if number is None:
        owned = ", ".join(simulator.settings.numbers)
        raise ControlError(f"the account has no number {to}", field="to", fix=f"one of: {owned}", status=404)
    return sender, number, normalize(to) or to


def _one_text(simulator: Simulator, text: shapes.InboundText, *, sender: str, to: str, nth: int) -> Text:
    media = tuple(simulator.shelf.put(one.content_type, one.data) for one in text.media)
    body = f"{text.body} {nth + 1}" if text.count > 1 else text.body
    return Text(sender=sender, to=to, body=body, media=media)


def _wish(request: Request) -> dict[str, str]:
    """Return the filters of the query; a plus that was not escaped arrives as a space."""
    query = request.query_params
    return {name: query[name].replace(" ", "+") for name in _FILTERS if name in query}


def _fits(message: Message, wanted: dict[str, str]) -> bool:
    return all(_FILTERS[name](message) == value for name, value in wanted.items())


def _whole(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, str(default))
    if not value.isdecimal():
        raise ControlError(f"{name} is not a whole number", field=name, fix=f"{name}=0 or more")
    return int(value)
