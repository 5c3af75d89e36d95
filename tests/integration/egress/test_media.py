"""A file that Parley hosts gets its link at the POST, and none before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.connections import connected
from integration.egress.processes import egress
from integration.egress.twilio_stub import TwilioStub, refuse
from integration.egress.workbench import SECRET_KEY, THE_CLIENTS_WARNINGS, Conversation
from parley_common import topology
from parley_common.events import Media, PartAttempted
from parley_common.media_links import MEDIA_PATH, MediaLinks, Verdict, hosted_url, out_name

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

NAME = out_name(b"a picture")


async def test_each_attempt_has_a_link_of_its_own_and_the_record_has_none(
    broker: Stack, twilio: TwilioStub
) -> None:
    twilio.script.append(refuse(429, 20429))
    async with connected(broker) as bus, egress(broker.nats_url, twilio):
        conversation = Conversation(bus)
        await conversation.reply("", media=(Media(url=hosted_url(NAME), content_type="image/png"),))
        await wait_until(lambda: twilio.created, 20.0, what="the picture being sent")
        attempted = await bus.next(topology.sends(conversation.id), seq=1)
    assert attempted is not None
    event = attempted.event()
    assert isinstance(event, PartAttempted)
    assert [media.url for media in event.media] == [hosted_url(NAME)]
    links = MediaLinks((SECRET_KEY,))
    assert len(twilio.posts) == 2
    for post in twilio.posts:
        url = urlsplit(post.form["MediaUrl"])
        assert (url.scheme, url.netloc, url.path) == ("https", "sms.example.com", f"{MEDIA_PATH}/{NAME}")
        query = dict(parse_qsl(url.query))
        assert links.verdict(NAME, query, now=datetime.now(UTC) + timedelta(hours=11)) is Verdict.GENUINE
        assert post.form["To"].lstrip("+") not in post.form["MediaUrl"]
