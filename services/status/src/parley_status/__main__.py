"""Every event in, the database and the API out."""

from parley_common.service import Service, run
from parley_common.shared_settings import Common
from parley_status.api import routes
from parley_status.database import Database
from parley_status.settings import PORT_VARIABLE, read_settings
from parley_status.work import StatusWork


def build(common: Common) -> Service:
    """The service these settings describe."""
    settings = read_settings()
    database = Database(settings.database_url)
    return Service(
        name="status",
        port_variable=PORT_VARIABLE,
        port=settings.port,
        work=StatusWork(common, database, settings),
        routes=routes(database, settings.api_key),
    )


if __name__ == "__main__":
    run(build, __doc__)
