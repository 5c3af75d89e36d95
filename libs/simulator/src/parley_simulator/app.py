"""The web application: REST API, control routes, phone page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from parley_simulator.control_routes import control_routes
from parley_simulator.page_routes import page_routes
from parley_simulator.rest.routes import rest_routes
from parley_simulator.simulator import Simulator


def build_app(simulator: Simulator) -> Starlette:
    """Return the application for one simulator."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await simulator.close()

    # The REST routes come first: they are the busy ones.
    app = Starlette(routes=[*rest_routes(), *control_routes(), *page_routes()], lifespan=lifespan)
    app.state.simulator = simulator
    return app
