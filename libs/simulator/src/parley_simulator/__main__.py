"""Twilio's REST requests in, webhooks out, and a phone in the browser: `python -m parley_simulator`."""

import os
import sys

from parley_simulator.server import serve
from parley_simulator.settings import SettingsError, read_settings


def main() -> int:
    """Serve until stopped; 2 for a setting that is missing or wrong."""
    try:
        serve(read_settings(os.environ))
    except SettingsError as error:
        sys.stderr.write(f"parley_simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
