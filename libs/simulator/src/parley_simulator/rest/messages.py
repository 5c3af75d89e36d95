"""The Messages resource: create, fetch, list, redact, cancel, delete.

Creating is where scripted faults of the kind "it was created, but you were not told" happen.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from parley_common.domain.segments import count_segments
from parley_simulator.api_errors import ApiError
from parley_simulator.faults import Fault, Place, Rule, Subject, find
from parley_simulator.messages import Direction, Message, Plan, message_sid, now
from parley_simulator.rest.creation import Draft, check_sendable, read_draft
from parley_simulator.rest.forms import first, read_form
from parley_simulator.rest.gate import ResetError, scripted_error, strike_before
from parley_simulator.rest.listing import list_messages
from parley_simulator.rest.shapes import json_response, message_resource
from parley_simulator.simulator import Simulator
from parley_simulator.statuses import Status, UnknownStepError, is_final

_REORDER = frozenset({Fault.REORDER_CALLBACKS})
_FIRST_CALLBACK_WITHIN_S = 10.0
_LONG_SILENCE_S = 30.0


async def create_message(simulator: Simulator, request: Request) -> Response:
    """POST Messages.json."""
    form = await read_form(request)
    subject = Subject(to=first(form, "To"), sender=first(form, "From"), body=first(form, "Body"))
    rules = simulator.faults.draw(Place.CREATE, subject)
    if rules:
        await strike_before(rules)
    draft = read_draft(simulator, form)
    check_sendable(simulator, draft)
    message = _store(simulator, draft, _plan(simulator, rules, subject))
    response = json_response(message_resource(message, simulator.account.sid), 201)
    begin = partial(simulator.lifecycle.begin, message, after_s=_seconds_until(draft.send_at))
    if rules:
        await _strike_after(simulator, message, rules=rules, begin=begin)
    else:
        begin()
    return response


async def read_message(simulator: Simulator, request: Request) -> Response:
    """GET Messages/{Sid}.json."""
    message = find_message(simulator, request)
    await strike_before(simulator.faults.draw(Place.FETCH, subject_of(message)))
    return json_response(message_resource(message, simulator.account.sid))


async def read_list(simulator: Simulator, request: Request) -> Response:
    """GET Messages.json."""
    query = request.query_params
    subject = Subject(to=query.get("To", ""), sender=query.get("From", ""))
    await strike_before(simulator.faults.draw(Place.FETCH, subject))
    return json_response(list_messages(simulator, query, request.url.path))


async def update_message(simulator: Simulator, request: Request) -> Response:
    """POST Messages/{Sid}.json: redact with an empty Body, cancel with Status=canceled."""
    message = find_message(simulator, request)
    form = await read_form(request)
    if first(form, "Status") == "canceled":
        _cancel(simulator, message)
    elif form.get("Body") == [""]:
        message.body = ""
        message.updated_at = now()
        simulator.lifecycle.on_change(message)
    else:
        raise ApiError(20001, "only an empty Body or Status=canceled can be set")
    return json_response(message_resource(message, simulator.account.sid))


async def delete_message(simulator: Simulator, request: Request) -> Response:
    """DELETE Messages/{Sid}.json."""
    message = find_message(simulator, request)
    if not is_final(message.status) and message.status is not Status.SENT:
        raise ApiError(20009)
    for media in message.media:
        simulator.shelf.remove(media.sid)
    simulator.store.remove(message)
    return Response(status_code=204)


def find_message(simulator: Simulator, request: Request) -> Message:
    """Return the message the path names."""
    sid = request.path_params["sid"].removesuffix(".json")
    message = simulator.store.get(sid)
    if message is None:
        raise ApiError(20404, request.url.path)
    return message


def subject_of(message: Message) -> Subject:
    """Return what fault rules are matched against."""
    return Subject(message.to, message.sender or "", message.body, message.status, message.sid)


def _store(simulator: Simulator, draft: Draft, plan: Plan) -> Message:
    at = now()
    return simulator.store.add(
        Message(
            sid=message_sid(has_media=bool(draft.media_urls)),
            direction=Direction.API,
            sender=draft.sender,
            to=draft.to,
            body=draft.body,
            segments=count_segments(draft.body),
            status=_initial_status(draft),
            created_at=at,
            updated_at=at,
            service_sid=draft.service.sid if draft.service else None,
            media_urls=draft.media_urls,
            status_callback=draft.status_callback,
            validity_s=draft.validity_s,
            plan=plan,
        )
    )


def _initial_status(draft: Draft) -> Status:
    if draft.send_at is not None:
        return Status.SCHEDULED
    return Status.QUEUED if draft.sender else Status.ACCEPTED


def _plan(simulator: Simulator, rules: list[Rule], subject: Subject) -> Plan:
    error = find(rules, Fault.ASYNC_ERROR)
    return Plan(
        error_code=(error.code or 30003) if error else None,
        never_final=find(rules, Fault.NEVER_FINAL) is not None,
        reorder_callbacks=bool(simulator.faults.draw(Place.CALLBACK, subject, _REORDER)),
    )


def _seconds_until(send_at: float | None) -> float:
    return 0.0 if send_at is None else max(send_at - now(), 0.0)


async def _strike_after(
    simulator: Simulator, message: Message, *, rules: list[Rule], begin: Callable[[], None]
) -> None:
    """Let the message go, and make the faults happen that come after it was created."""
    if find(rules, Fault.CALLBACK_BEFORE_RESPONSE) and message.status_callback:
        await simulator.callbacks.wait_for_first(message, within_s=_FIRST_CALLBACK_WITHIN_S, start=begin)
    else:
        begin()
    if find(rules, Fault.RESET_AFTER_CREATE):
        raise ResetError
    silence = find(rules, Fault.TIMEOUT_AFTER_CREATE)
    if silence:
        await asyncio.sleep(_LONG_SILENCE_S if silence.delay_s is None else silence.delay_s)
        raise ResetError
    answer = find(rules, Fault.STATUS_AFTER_CREATE)
    if answer:
        raise scripted_error(answer)


def _cancel(simulator: Simulator, message: Message) -> None:
    try:
        simulator.lifecycle.cancel(message)
    except UnknownStepError as error:
        raise ApiError(30409) from error
