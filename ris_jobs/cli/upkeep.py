"""The service itself: config, db, index, doctor, status, airflow, demo."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ris_jobs.cli.common import INPUT, load_settings, opened, show


@click.group()
def config() -> None:
    """The settings: RIS_* in the environment."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def config_show(as_json: bool) -> None:
    """Every setting with its value, passwords and tokens masked."""
    from ris_jobs.report import listing

    settings = load_settings()
    show(listing.settings(settings.explained()), settings.masked() if as_json else None)


@click.group()
def db() -> None:
    """The PostgreSQL database, for analysts: docs/analysts.md."""


@db.command("psql", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def db_psql(arguments: tuple[str, ...]) -> None:
    """Open psql, or run it with ARGUMENTS such as -c "SELECT * FROM ris.duplicates"."""
    from ris_jobs import jobs

    raise click.exceptions.Exit(jobs.psql(load_settings(), arguments))


@db.command("grant-reader")
@click.argument("role", default="ris_reader")
def db_grant_reader(role: str) -> None:
    """Let ROLE (ris_reader unless given) read every table and view, and write none.

    It is made where it is missing, as a group that nobody can log in as: GRANT it to those who
    may read.
    """
    from ris_jobs import jobs

    jobs.grant_reader(load_settings(), role)
    click.echo(f"{role} can read now")


@click.group()
def index() -> None:
    """The Milvus index, which is derived from PostgreSQL."""


@index.command("check")
@click.option("--model", help="Whose index.")
def index_check(model: str | None) -> None:
    """Compare Milvus with PostgreSQL; exit 1 if they differ."""
    from ris_jobs import jobs

    with opened(load_settings(), model) as (_, stores):
        drift = jobs.check_index(stores)
    click.echo(
        f"{drift.indexed} images indexed, {len(drift.missing)} missing from Milvus, "
        f"{len(drift.extra)} there that should not be"
    )
    if drift.missing or drift.extra:
        click.echo("`ris index rebuild` makes it right.")
        raise click.exceptions.Exit(1)


@index.command("rebuild")
@click.option("--model", help="Whose index.")
def index_rebuild(model: str | None) -> None:
    """Empty the index and fill it again from PostgreSQL."""
    from ris_jobs import jobs

    with opened(load_settings(), model) as (_, stores):
        click.echo(f"{jobs.rebuild_index(stores)} images indexed")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Try every part this service needs, and say what is wrong; exit 1 if something is."""
    from ris_jobs import doctor as checks
    from ris_jobs.report import listing

    results = list(checks.examine(load_settings()))
    lines = [(r.part, r.problem is None, r.problem or r.detail, r.fix) for r in results]
    show(listing.checks(lines), [asdict(r) for r in results] if as_json else None)
    if any(r.problem for r in results):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(as_json: bool) -> None:
    """What waits, how the last runs and upkeep went, what needs a hand; exit 1 if any does.

    For cron or a monitor: ris status --json || notify-somebody. It never waits for jobs that are
    at work. docs/operations.md says what each sentence means.
    """
    from ris_jobs import jobs
    from ris_jobs.report import operation
    from ris_jobs.report import status as said
    from ris_jobs.store.postgres import open_engine

    settings = load_settings()
    with open_engine(settings) as engine:
        found = jobs.status(engine, settings)
    show(said.status(found), operation.as_json(found) if as_json else None)
    if found.needs:
        raise click.exceptions.Exit(1)


# What follows the first word is Airflow's own, options too.
@click.command(context_settings={"allow_interspersed_args": False})
@click.option(
    "--dags",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default="dags",
    show_default=True,
    help="Folder of the DAG files.",
)
@click.option("--port", type=click.IntRange(1024, 65534), default=8080, show_default=True)
@click.argument("command", nargs=-1)
def airflow(dags: Path, port: int, command: tuple[str, ...]) -> None:
    """Run Airflow on this machine, with the nightly DAGs, until Ctrl-C.

    Its pages are on loopback alone. The port after --port is Milvus Lite's, unless RIS_MILVUS_URI
    names a server; both must be free.

    With a COMMAND of Airflow's own this is run on it instead, whether it runs meanwhile or not:

    \b
    ris airflow dags trigger ris_crawl     a night now
    ris airflow dags pause ris_crawl       no more nights
    """
    from ris_jobs import local_airflow

    if command:
        status = local_airflow.run(load_settings(), dags, port, command)
        raise click.exceptions.Exit(status)

    def told(ready: local_airflow.Ready) -> None:
        password = ready.password or f"(in {ready.password_file})"
        click.echo(f"Airflow is ready after {ready.seconds:.0f} s: {ready.url}")
        click.echo(f"  user {ready.user}, password {password}")
        click.echo("  Ctrl-C stops it")

    click.echo("Starting Airflow ...")
    try:
        local_airflow.serve(load_settings(), dags, port, told)
    except KeyboardInterrupt:
        click.echo("Stopped.")


@click.command()
@click.argument("folder", type=INPUT)
def demo(folder: Path) -> None:
    """Write a few photos and copies of them into FOLDER, to try the other commands on."""
    from ris_jobs.demo.folder import write

    photos, copies = write(folder)
    click.echo(f"{photos} photos and {copies} copies of them in {folder}")
