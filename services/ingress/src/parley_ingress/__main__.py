"""Twilio webhooks in, InboundMessage, ConsentChanged and DeliveryReport out: verified, and held before the 200."""

from __future__ import annotations

from parley_common.bus import Bus
from parley_common.consent import ConsentLedger
from parley_common.identity import Identity
from parley_common.media_links import MediaLinks
from parley_common.media_store import MediaStore
from parley_common.service import Service, end_process, run
from parley_common.shared_settings import Common
from parley_ingress.media import MediaServer
from parley_ingress.publishing import Budgets, Publisher
from parley_ingress.settings import PORT_VARIABLE, read_settings
from parley_ingress.webhooks import Webhooks
from parley_ingress.work import IngressWork


def build(common: Common) -> Service:
    """Ingress, made from its settings."""
    settings, identity = read_settings(), Identity(common.hash_key)
    bus = Bus(common.broker, name="parley-ingress", lost=end_process)
    webhooks = Webhooks(
        public_url=settings.public_url,
        channels=settings.channels,
        identity=identity,
        publisher=Publisher(bus, settings.most_pending),
        consent=ConsentLedger(bus, identity),
        budgets=Budgets(settings.ack_budget_s),
    )
    # One of its own: no webhook waits behind a picture.
    media_bus = Bus(common.broker, name="parley-ingress-media", lost=end_process)
    store = MediaStore(media_bus, kept_s=settings.limits.media_kept_s)
    routes = [*webhooks.routes(), *MediaServer(store, MediaLinks(settings.secret_keys)).routes()]
    work = IngressWork(bus, identity, settings, media_bus=media_bus, hash_key=common.hash_key)
    return Service(name="ingress", port_variable=PORT_VARIABLE, port=settings.port, work=work, routes=routes)


if __name__ == "__main__":
    run(build, __doc__)
