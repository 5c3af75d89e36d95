"""InboundMessage in, TurnDone out: asks the brain what to answer, conversation by conversation."""

from __future__ import annotations

from parley_agent.settings import PORT_VARIABLE, read_settings
from parley_agent.work import AgentWork
from parley_brains.agents import read_agent
from parley_common.service import Service, run
from parley_common.shared_settings import Common


def build(common: Common) -> Service:
    """The agent, made from its settings."""
    settings = read_settings()
    work = AgentWork(common, settings, read_agent(settings.agent_file))
    return Service(name="agent", port_variable=PORT_VARIABLE, port=settings.port, work=work)


if __name__ == "__main__":
    run(build, __doc__)
