"""TurnDone in, texts to Twilio out: renders, splits, paces and sends replies, each once and in order."""

from __future__ import annotations

from parley_common.service import Service, run
from parley_common.shared_settings import Common
from parley_egress.settings import PORT_VARIABLE, read_settings
from parley_egress.work import EgressWork


def build(common: Common) -> Service:
    """Egress, made from its settings."""
    settings = read_settings()
    work = EgressWork(common, settings)
    return Service(name="egress", port_variable=PORT_VARIABLE, port=settings.port, work=work)


if __name__ == "__main__":
    run(build, __doc__)
