"""What Alembic runs: the migrations on the connection it is given, inside that connection's transaction."""

from alembic import context

from parley_status.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
