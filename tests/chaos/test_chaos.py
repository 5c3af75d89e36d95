"""Every promise is kept while processes die and freeze and Twilio misbehaves: one short run with each broker.

``python -m chaos``, started in the folder ``tests``, makes longer ones with other seeds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chaos.plan import BrokerKind, Size, make_plan
from chaos.report import table
from chaos.run import run

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

_PATIENCE_S = 150.0


@pytest.mark.parametrize(
    ("broker", "seed", "seconds"), [("single", 13, 10.0), pytest.param("cluster", 3, 8.0, marks=pytest.mark.long)]
)
async def test_nothing_is_lost_sent_twice_or_out_of_order(
    tmp_path: Path, broker: BrokerKind, seed: int, seconds: float
) -> None:
    """These seeds hurt agent, egress and the broker, the first one ingress as well, in few seconds."""
    plan = make_plan(seed, broker, Size.of(seconds))
    result = await run(plan, tmp_path, patience_s=_PATIENCE_S, say=_say)
    _say(table(result))
    assert result.came_to_rest
    assert result.verdict.complaints == []
    assert result.verdict.is_clean
    assert result.verdict.answered >= result.verdict.accepted > 0


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
