"""Sees whether this Parley works: every service is ready, forged webhooks are refused, genuine ones recognised.

Where PARLEY_SELF_TEST_CONTACT names a phone, a signed text of it is sent through the whole of Parley: it must be
answered once, and the answer be accepted by Twilio, which texts it to that phone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable

from parley_common.domain.redaction import redact_text
from parley_common.settings import SettingsError
from parley_ingress.self_test.answering import Answering
from parley_ingress.self_test.asking import Deadline, Failed, asking
from parley_ingress.self_test.readiness import wait_ready
from parley_ingress.self_test.settings import DEFAULT_TEXT, DEFAULT_TIMEOUT_S, Settings, read_settings
from parley_ingress.self_test.texting import Texting, new_sid, text_form

_EPILOG = f"""
It reads from the environment:
  PARLEY_SELF_TEST_INGRESS_URL, _AGENT_URL, _EGRESS_URL, _STATUS_URL   where the services answer
  PARLEY_PUBLIC_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN             as ingress has them, for signatures
  TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID                  whom the text goes to
  TWILIO_WEBHOOK_SHARED_KEYS                                           where ingress has it
  PARLEY_API_KEY                                                       opens the status API
  PARLEY_SELF_TEST_CONTACT                                             who texts; without it nobody does
  PARLEY_SELF_TEST_TEXT                                                what they text ({DEFAULT_TEXT})
  PARLEY_SELF_TEST_TIMEOUT_S                                           for all of it ({DEFAULT_TIMEOUT_S:g})

Ends with 0 where all is well, else with 1 and one sentence that says what is not.
"""


async def check(settings: Settings) -> None:
    """All steps in their order, each told in a line. Raises ``Failed``."""
    deadline = Deadline.after(settings.timeout_s)
    async with asking() as asks:
        for name, url in settings.urls.items():
            await _told(wait_ready(asks, name, url, deadline))
        texting, answering = Texting(asks, settings, deadline), Answering(asks, settings, deadline)
        await _told(texting.forge())
        await _told(texting.sign_nothing())
        await _told(answering.open_api())
        if settings.contact is None:
            _say("no text is sent through: PARLEY_SELF_TEST_CONTACT names nobody")
        else:
            await _text_through(texting, answering, settings, settings.contact)


async def _text_through(texting: Texting, answering: Answering, settings: Settings, contact: str) -> None:
    form = text_form(settings.channel, contact, settings.text, new_sid())
    await _told(texting.text(form))
    await _told(texting.text_again(form))
    begun_s = time.monotonic()
    text = await answering.turn_of(form["MessageSid"])
    replies = await answering.replies(text)
    _say("the agent has answered", begun_s)
    for reply in replies:
        await answering.accepted(reply)
    _say("Twilio has accepted the answer", begun_s)
    arrived = [await answering.arrived(reply) for reply in replies]
    _say("the answer is delivered" if all(arrived) else "the answer is not delivered yet", begun_s)
    await _told(answering.once(text))


async def _told(step: Awaitable[str]) -> None:
    begun_s = time.monotonic()
    _say(await step, begun_s)


def _say(words: str, begun_s: float | None = None) -> None:
    took = "" if begun_s is None else f" ({time.monotonic() - begun_s:.2f} s)"
    sys.stdout.write(f"{redact_text(words)}{took}\n")
    sys.stdout.flush()


def main() -> None:
    """The command."""
    argparse.ArgumentParser(
        prog="python -m parley_ingress.self_test",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        asyncio.run(check(read_settings(os.environ)))
    except SettingsError as error:
        sys.exit(redact_text(str(error)))
    except Failed as error:
        sys.exit(f"self-test failed: {redact_text(str(error))}")
    _say("all is well")


if __name__ == "__main__":
    main()
