"""Alembic's entry: the connection is handed over by ris_jobs.store.postgres.migrate."""

from alembic import context

connection = context.config.attributes["connection"]
connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS ris")
context.configure(connection=connection, version_table="schema_version", version_table_schema="ris")
with context.begin_transaction():
    context.run_migrations()
