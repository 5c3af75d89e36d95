"""The Account resource: enough to see that credentials are right and the account is active."""

from starlette.requests import Request
from starlette.responses import Response

from parley_simulator.rest.account_shapes import account_resource
from parley_simulator.rest.shapes import json_response
from parley_simulator.simulator import Simulator


async def read_account(simulator: Simulator, _: Request) -> Response:
    """GET Accounts/{Sid}.json."""
    return json_response(account_resource(simulator.account.sid, simulator.created_at))
