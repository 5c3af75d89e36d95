"""What a person reads once all is ready: where everything answers, and what to do first. Writes nothing itself."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from parley_common.webhook_urls import INBOUND_PATH, inbound_url
from parley_dev.plan import Plan
from parley_dev.processes import broker_log


def welcome(plan: Plan, api_header: Path | None, agent: str, took_s: float) -> str:
    """The table. ``api_header``: a file that holds the API key's header, None where the caller knows the key.

    ``agent``: who answers, in a few words.
    """
    key = f"-H @{_short(api_header)}" if api_header else '-H "Authorization: Bearer $PARLEY_API_KEY"'
    rows = [
        *([("phone page", plan.url("simulator"))] if plan.simulated else []),
        ("agent", agent),
        ("webhooks", f"{plan.url('ingress')}{INBOUND_PATH}"),
        ("status API", f"{plan.url('status')}/v1/conversations"),
        ("", f"curl {key} {plan.url('status')}/v1/conversations"),
        ("NATS", _without_credentials(plan.environment["NATS_URL"])),
        *([("", f"log in {_short(broker_log(plan))}")] if plan.own_broker else []),
        ("kept in", _short(plan.data_dir)),
    ]
    lines = [f"Parley is ready after {took_s:.1f} s.", ""]
    lines += [f"  {name:<11} {value}" for name, value in rows]
    lines += ["", *(_first_steps_simulated(plan) if plan.simulated else _first_steps_real(plan)), "^C ends it."]
    return "\n".join(lines)


def _first_steps_simulated(plan: Plan) -> list[str]:
    number = plan.environment["TWILIO_PHONE_NUMBER"].split(",")[0]
    return [
        f"Text the bot at {plan.url('simulator')}: it answers as {number}.",
        "Twilio is simulated: no text leaves this machine. For the real one, see python -m parley_dev --help.",
    ]


def _first_steps_real(plan: Plan) -> list[str]:
    return [
        "In the Twilio Console, set this as the webhook of your number or Messaging Service (HTTP POST):",
        f"  {inbound_url(plan.environment['PARLEY_PUBLIC_URL'].rstrip('/'))}",
        f"It must lead to {plan.url('ingress')}. Status callbacks need no setting, each text carries its own.",
    ]


def _short(path: Path) -> str:
    """Relative to where one is, if it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _without_credentials(urls: str) -> str:
    return ",".join(
        f"{urlsplit(url).scheme}://{urlsplit(url).netloc.rpartition('@')[2]}" for url in urls.split(",")
    )
