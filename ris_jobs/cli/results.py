"""What was found, for others: export, report."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ris_jobs.cli.common import INPUT, load_settings, writing
from ris_jobs.errors import ConfigError
from ris_jobs.report.export import Format


@click.command()
@click.argument("what", type=click.Choice(["matches", "images", "families", "quarantine", "hits"]))
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    default="jsonl",
    show_default=True,
)
@click.option("-o", "--output", type=INPUT, help="Write there; without it, to standard output.")
def export(what: str, form: Format, output: Path | None) -> None:
    """Write a table for other programs. The columns are described in docs/export.md."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine

    if form == "parquet" and output is None and sys.stdout.isatty():
        raise ConfigError("--output", "is needed: Parquet is not for a terminal")
    with open_engine(load_settings()) as engine, writing(output) as out:
        jobs.export(engine, what, form, out)


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
