"""What the agent reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from parley_agent.turns import Pace
from parley_brains.agents import EXAMPLE
from parley_common.channels import Channels, read_channels
from parley_common.settings import Environment, read_number, read_optional, read_port
from parley_common.shared_settings import read_limits
from parley_common.topology import Limits

PORT_VARIABLE = "PARLEY_AGENT_PORT"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is said in the environment, checked.

    ``media_within_s``: how long a turn waits for what came with its texts.
    """

    port: int
    channels: Channels
    limits: Limits
    agent_file: Path
    pace: Pace
    media_within_s: float


def read_settings(environment: Environment = os.environ) -> Settings:
    """Reads them, or says what is wrong."""
    return Settings(
        port=read_port(environment, PORT_VARIABLE, 8083),
        channels=read_channels(environment),
        limits=read_limits(environment),
        agent_file=Path(read_optional(environment, "PARLEY_AGENT_FILE") or EXAMPLE),
        pace=Pace(
            gather_s=read_number(environment, "PARLEY_GATHER_S", 1.5),
            reply_expiry_s=read_number(environment, "PARLEY_REPLY_EXPIRY_S", 3600.0, least=1.0),
            max_answer_age_s=read_number(environment, "PARLEY_MAX_ANSWER_AGE_S", 1800.0),
        ),
        media_within_s=read_number(environment, "PARLEY_MEDIA_WITHIN_S", 45.0, least=0.1),
    )
