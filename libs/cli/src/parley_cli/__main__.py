"""The ``parley`` command: reads what was written after it, does it, and says in one sentence where it cannot.

Ends with 0 where it was done, 1 where it could not be, 2 where the command line makes no sense.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from parley_cli.arguments import read
from parley_cli.commands import COMMANDS, complain
from parley_cli.words import Refused
from parley_common.logs import start_logging
from parley_common.settings import SettingsError


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    given = read(arguments)
    start_logging("parley", readable=True, stream=sys.stderr)
    logging.disable(logging.CRITICAL)  # what the connection goes through is told in the command's own words
    command = COMMANDS[given.command, getattr(given, "action", "")]
    try:
        work = command(given)
        sys.exit(work if isinstance(work, int) else asyncio.run(work))
    except (Refused, SettingsError) as error:
        complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(130)


if __name__ == "__main__":
    main()
