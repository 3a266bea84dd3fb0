"""Alembic's entry: the connection is handed over by ris_jobs.store.postgres.migrate."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
