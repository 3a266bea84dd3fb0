"""What was found, for others: export, history, report, replay."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ris_jobs.cli.common import INPUT, load_settings, show, showing, writing
from ris_jobs.errors import ConfigError
from ris_jobs.report.export import Format


@click.command()
@click.argument(
    "what",
    type=click.Choice(["matches", "images", "families", "quarantine", "hits", "runs"]),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    default="jsonl",
    show_default=True,
)
@click.option("--as-of", help="As it was believed after a run (its number), or at a time.")
@click.option("-o", "--output", type=INPUT, help="Write there; without it, to standard output.")
def export(what: str, form: Format, as_of: str | None, output: Path | None) -> None:
    """Write a table for other programs. The columns are described in docs/export.md."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine

    if form == "parquet" and output is None and sys.stdout.isatty():
        raise ConfigError("--output", "is needed: Parquet is not for a terminal")
    with open_engine(load_settings()) as engine, writing(output) as out:
        jobs.export(engine, what, form, out, as_of)


@click.command()
@click.argument("name", metavar="URI|SHA256|PATH")
@click.option("--as-of", help="What was known after a run (its number), or at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def history(name: str, as_of: str | None, as_json: bool) -> None:
    """What was ever seen at a URI, or of an image wherever it was, and what was believed of it.

    A time is ISO 8601, in UTC unless it says otherwise; a date means the end of that day.
    """
    from ris_jobs import jobs
    from ris_jobs.report import history as told
    from ris_jobs.report.timeline import timeline
    from ris_jobs.store.postgres import open_engine

    settings = load_settings()
    with open_engine(settings) as engine:
        found = jobs.history(engine, settings, name, as_of)
    show(timeline(found), told.as_json(found) if as_json else None)


@click.command()
@click.option(
    "--run",
    "run_id",
    type=click.IntRange(1, 2**63 - 1),
    help="Which run; without it, the last scan.",
)
@click.option("-o", "--output", type=INPUT, help="Where; $RIS_HOME/reports unless given.")
def report(run_id: int | None, output: Path | None) -> None:
    """Write a run as one self-contained web page and print its path."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine
    from ris_jobs.store.previews import open_previews

    settings = load_settings()
    with open_engine(settings) as engine:
        out = output or settings.home / "reports" / (
            f"run-{run_id}.html" if run_id else "last.html"
        )
        click.echo(jobs.report(engine, open_previews(settings), run_id, out))


@click.command()
@click.argument("run_id", metavar="RUN", type=click.IntRange(1, 2**63 - 1))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def replay(run_id: int, as_json: bool) -> None:
    """Judge all matches of RUN again, find its families again, and compare; exit 1 if one differs.

    Both follow from what is stored, by the settings, model and calibration of the run. Nothing is
    written.
    """
    from ris_jobs import jobs
    from ris_jobs.report import replayed
    from ris_jobs.store.postgres import open_engine
    from ris_jobs.store.previews import open_previews

    settings = load_settings()
    with open_engine(settings) as engine:
        previews = open_previews(settings)
        progress = showing(settings, quiet=as_json)
        done = jobs.replay(engine, previews, settings, run_id, progress)
    show(replayed.replayed(done), asdict(done) if as_json else None)
    if not done.same:
        raise click.exceptions.Exit(1)
