"""Runs all of Parley on this machine: NATS, ingress, agent, egress, status, and a simulated Twilio with a phone.

With TWILIO_ACCOUNT_SID set it uses Twilio (or TWILIO_API_BASE_URL) and starts no simulator.
"""

from __future__ import annotations

import argparse
import os
import sys

from parley_common.settings import SettingsError
from parley_dev.local_run import run_locally
from parley_dev.usage import EPILOG


def main() -> int:
    """The command."""
    argparse.ArgumentParser(
        prog="python -m parley_dev",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        return run_locally(os.environ)
    except SettingsError as error:
        sys.exit(f"parley: {error}")


if __name__ == "__main__":
    sys.exit(main())
