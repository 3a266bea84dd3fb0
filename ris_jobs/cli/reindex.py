"""Change the model without losing a night: reindex."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ris_jobs.cli.common import INPUT, Bars, load_settings, show

if TYPE_CHECKING:
    from ris_jobs.jobs import Status

WHY = click.option("--why", help="The reason, which is kept.")
BY = click.option("--by", help="Who does it; the user of this system unless given.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")


@click.group()
def reindex() -> None:
    """Change the descriptor model without losing a night.

    \b
    ris reindex start builtin --regions 0+0     fill another model beside the one that serves
    ris reindex run --limit 10000 --pause 2     describe and match; again until all is done
    ris reindex report -o churn.html            what would change: lost, gained, families
    ris reindex switch                          let it serve, if the gate holds
    ris reindex rollback --why TEXT             the former one serves again
    ris reindex abandon                         give up the one that does not serve

    Scans go on meanwhile, and describe new images by both models. docs/models.md says more.
    """


@reindex.command()
@click.argument("model")
@click.option("--regions", help="Parts described beside the whole, such as 5+10; its own if unset.")
@BY
@JSON
def start(model: str, regions: str | None, by: str | None, as_json: bool) -> None:
    """Fill MODEL beside the one that serves.

    MODEL is builtin, resnet50 or sscd. The same model with other --regions is another model.
    """
    from ris_jobs import jobs

    _show_status(jobs.start_reindex(load_settings(), model, regions, by), as_json)


@reindex.command()
@JSON
def status(as_json: bool) -> None:
    """Which model serves, and how far the other has come."""
    from ris_jobs import jobs

    _show_status(jobs.reindex_status(load_settings()), as_json)


@reindex.command()
@click.option("--limit", type=click.IntRange(1), help="At most so many images; all unless given.")
@click.option(
    "--pause",
    type=click.FloatRange(0, 3600),
    default=0.0,
    show_default=True,
    help="Seconds of rest after each batch (RIS_BATCH_SIZE images).",
)
@JSON
def run(limit: int | None, pause: float, as_json: bool) -> None:
    """Describe what the other lacks, then match.

    Exit status 1 while something is left. Killed anywhere, the next run goes on.
    """
    from ris_jobs import jobs
    from ris_jobs.report import reindexed

    done = jobs.run_reindex(load_settings(), jobs.Pace(limit, pause), Bars(quiet=as_json))
    show(reindexed.done(done), asdict(done) if as_json else None)
    if not done.ready:
        raise click.exceptions.Exit(1)


@reindex.command()
@click.option("-o", "--output", type=INPUT, help="Write a web page with pictures there.")
@JSON
def report(output: Path | None, as_json: bool) -> None:
    """What would change if the other served.

    In matches, probabilities and families. The change is made, looked at, and taken back, so the
    figures are those of the change itself.
    """
    from ris_jobs import jobs
    from ris_jobs.report import churn

    found = jobs.churn_report(load_settings(), output)
    show(churn.churned(found), churn.as_json(found) if as_json else None)
    if output and not as_json:
        click.echo(f"{'page':<12}{output}")


@reindex.command()
@click.option("--force", is_flag=True, help="Though the gate does not hold; --why is needed.")
@WHY
@BY
@JSON
def switch(force: bool, why: str | None, by: str | None, as_json: bool) -> None:
    """Let the other serve, if the gate holds.

    Exit status 1 if it does not. The gate: it loses no more matches than RIS_GATE_LOST, all
    images are described and matched, and no scan is under way.
    """
    from ris_jobs import jobs
    from ris_jobs.report import churn

    found = jobs.switch(load_settings(), why, by, force=force)
    show(churn.churned(found), churn.as_json(found) if as_json else None)


@reindex.command()
@click.option("--why", required=True, help="The reason, which is kept.")
@BY
@JSON
def rollback(why: str, by: str | None, as_json: bool) -> None:
    """Let the former one serve again.

    With the matches that it had, and found since.
    """
    from ris_jobs import jobs
    from ris_jobs.report import churn

    found = jobs.rollback(load_settings(), why, by)
    show(churn.churned(found), churn.as_json(found) if as_json else None)


@reindex.command()
@JSON
def abandon(as_json: bool) -> None:
    """Give up the one that does not serve.

    Its vectors and matches are dropped. After a switch that is the former one: then there is no
    way back.
    """
    from ris_jobs import jobs

    _show_status(jobs.abandon_reindex(load_settings()), as_json)


def _show_status(found: Status, as_json: bool) -> None:
    from ris_jobs.report import reindexed

    values = asdict(found)
    show(reindexed.status(values), reindexed.as_json(values) if as_json else None)
