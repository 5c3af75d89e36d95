"""Texts a running Parley and tells what each text cost in each process, in times of the processor.

The simulated Twilio and the people are not counted. Compare figures of one machine only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import anyio

from harness.people import simulator_of
from harness.stack import running_stack
from parley_common.broker import Broker
from parley_common.bus import Bus
from sizing.load import Load, run_load
from sizing.report import report
from sizing.usage import read_usage

PROCESSES = ("ingress", "agent", "egress", "status", "nats")
SETTINGS = {
    "PARLEY_GATHER_S": "0",
    "PARLEY_SENDER_MPS": "1000",
    "PARLEY_DAILY_ANSWERS_PER_CONTACT": "0",
    "PARLEY_LOG_FORMAT": "json",
}


async def measure(load: Load, warm_up: Load) -> str:
    """The report of one run, from a start with empty streams."""
    directory = Path(tempfile.mkdtemp(prefix="parley-sizing-"))
    async with running_stack(directory, settings=SETTINGS) as stack, simulator_of(stack) as simulator:
        bus = Bus(Broker(stack.nats_url), name="sizing")
        await bus.connect()
        try:
            idle = await read_usage(stack, bus, PROCESSES)
            await run_load(warm_up, simulator, bus)
            before = await read_usage(stack, bus, PROCESSES)
            await run_load(load, simulator, bus)
            after = await read_usage(stack, bus, PROCESSES)
        finally:
            await bus.close()
    return report(load, idle, before, after)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m sizing", description=__doc__)
    parser.add_argument("--people", type=int, default=50, help="who text at once (%(default)s)")
    parser.add_argument("--texts", type=int, default=20, help="of each (%(default)s)")
    options = parser.parse_args()
    load = Load(people=options.people, texts=options.texts, first=2_000_000)
    warm_up = Load(people=10, texts=2, first=1_000_000)
    sys.stdout.write(anyio.run(measure, load, warm_up) + "\n")


if __name__ == "__main__":
    main()
