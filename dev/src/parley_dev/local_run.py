"""One local run from its first check to its last process: the plan, the lock, the ports, then the supervisor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from functools import partial

from parley_common.settings import Environment, SettingsError, read_optional
from parley_dev.addresses import refuse_taken
from parley_dev.agent import describe_agent
from parley_dev.console import Console
from parley_dev.data_dir import locked, read_data_dir, read_secrets, write_api_header
from parley_dev.plan import Plan, make_plan
from parley_dev.processes import table
from parley_dev.supervisor import Pace, Supervisor
from parley_dev.welcome import welcome

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_MARGIN_S = 2.0


def run_locally(environment: Environment) -> int:
    """Runs until a signal ends it; returns the exit code, raises ``SettingsError`` before anything starts."""
    data_dir = read_data_dir(environment)
    with locked(data_dir):
        plan = make_plan(environment, data_dir, read_secrets(data_dir))
        agent = describe_agent(plan.environment)
        refuse_taken(plan.ports)
        own_key = read_optional(environment, "PARLEY_API_KEY") is None
        header = write_api_header(data_dir, plan.environment["PARLEY_API_KEY"]) if own_key else None
        return asyncio.run(_supervise(plan, Console(), partial(welcome, plan, header, agent)))


async def _supervise(plan: Plan, console: Console, words: Callable[[float], str]) -> int:
    supervisor = Supervisor(
        table(plan), plan.environment, console, Pace(stop_within_s=plan.grace_s + _GRACE_MARGIN_S)
    )
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, supervisor.stop)
    failure = await supervisor.run(lambda took_s: console.show(words(took_s)))
    if failure is not None:
        raise SettingsError(failure)
    console.say("stopped")
    return 0
