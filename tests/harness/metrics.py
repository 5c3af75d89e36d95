"""What a service tells Prometheus, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as plain_families
from prometheus_client.samples import Sample

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
PLAIN = "text/plain;version=0.0.4"


class Scrape:
    """One answer of ``/metrics``. Its own names only: ``parley_…``."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = tuple(family for family in families if family.name.startswith("parley_"))
        self._samples = tuple(sample for family in self.families for sample in family.samples)

    def samples(self, name: str) -> list[Sample]:
        """The samples of this name, ``…_total`` and ``…_count`` included."""
        return [sample for sample in self._samples if sample.name == name]

    def value(self, name: str, **labels: str) -> float:
        """The value of the only sample with this name and these labels."""
        (sample,) = [one for one in self.samples(name) if labels.items() <= one.labels.items()]
        return float(sample.value)

    def exemplars(self, name: str) -> list[str]:
        """The traces that the buckets of a histogram name."""
        return [
            sample.exemplar.labels["trace_id"]
            for sample in self.samples(f"{name}_bucket")
            if sample.exemplar is not None
        ]


async def scrape(url: str, accept: str = OPEN) -> Scrape:
    """What the service at this address tells now. Fails where a parser does not take it."""
    async with httpx.AsyncClient() as http:
        response = await http.get(f"{url}/metrics", headers={"Accept": accept}, timeout=10.0)
    assert response.status_code == 200
    is_open = response.headers["content-type"].startswith("application/openmetrics-text")
    return Scrape((open_families if is_open else plain_families)(response.text))
