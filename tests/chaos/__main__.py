"""Hurts a running Parley on this machine and counts what came of it.

Processes are killed and frozen, the broker among them, while hundreds of people text and a simulated Twilio
misbehaves. When all is whole again and answered, every text is looked for: in the stream, in the turns, on the
phone. Exit code 1 if a promise was broken: a text lost, answered twice, out of order, in two turns or not at all.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio

from chaos.plan import BrokerKind, Plan, Size, make_plan
from chaos.report import as_json, plan_text, summary, table
from chaos.run import Result, run

BOTH: tuple[BrokerKind, ...] = ("single", "cluster")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parser().parse_args(arguments)
    plans = [
        make_plan(seed, broker, Size.of(options.seconds))
        for broker in _brokers(options)
        for seed in _seeds(options)
    ]
    if options.show_plan:
        _say("\n\n".join(plan_text(plan) for plan in plans))
        return 0
    results = [_run(plan, options) for plan in plans]
    if len(results) > 1:
        _say("\n" + summary(results))
    if options.json is not None:
        options.json.write_text(json.dumps([as_json(result) for result in results], indent=1) + "\n")
    return 0 if all(result.is_clean for result in results) else 1


def _run(plan: Plan, options: argparse.Namespace) -> Result:
    if options.logs is not None:
        options.logs.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix=f"parley-chaos-{plan.broker}-{plan.seed}-", dir=options.logs))
    _say(f"\nseed {plan.seed}, broker {plan.broker}; logs in {directory}")
    result = anyio.run(lambda: run(plan, directory, patience_s=options.patience, say=_say))
    _say(table(result))
    return result


def _brokers(options: argparse.Namespace) -> tuple[BrokerKind, ...]:
    return BOTH if options.broker == "both" else (options.broker,)


def _seeds(options: argparse.Namespace) -> range:
    return range(options.seed, options.seed + options.runs)


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; a seed fixes the whole plan (1)")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="so many seeds one after another (1)")
    parser.add_argument(
        "--broker",
        choices=(*BOTH, "both"),
        default="single",
        help="one NATS server, a cluster of three with streams on all, or one run with each (single)",
    )
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long is hurt (60)")
    parser.add_argument(
        "--patience", type=float, default=180.0, metavar="S", help="how long answers may take afterwards (180)"
    )
    parser.add_argument("--show-plan", action="store_true", help="say what would happen, and do nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--logs", type=Path, metavar="FOLDER", help="where the logs of the runs go (a temporary one)"
    )
    return parser


if __name__ == "__main__":
    # ^C ends this process at once, and with it all that is tethered to it: there is nothing to tidy up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
