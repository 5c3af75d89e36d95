"""The images, built once for all tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from images.building import IMAGES, base, build, build_broker
from images.podman import Podman, own_podman


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    """podman with a storage of its own."""
    with own_podman() as own:
        yield own


@pytest.fixture(scope="session")
def images(podman: Podman) -> dict[str, str]:
    """All images by service, and that of a broker as ``nats``."""
    base_image = base(podman)
    return {"nats": build_broker(podman, base_image)} | {one: build(podman, one, base_image) for one in IMAGES}
