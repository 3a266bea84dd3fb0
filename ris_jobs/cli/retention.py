"""What time leaves behind, and what must go: upkeep, erase."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from ris_jobs.cli.common import Bars, load_settings, show


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count; change nothing.")
@click.option(
    "--killed-after",
    type=click.FloatRange(0, 10_000),
    help="Hours after which a run that has not ended was killed; unless given, 48, and 15 days for "
    "one that changes the model.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def upkeep(dry_run: bool, killed_after: float | None, as_json: bool) -> None:
    """Put right what time leaves behind.

    Runs that were killed are closed as failed; vectors and previews that belong to no image are
    removed, missing ones made again where that can be; images that have been gone longer than
    RIS_RETENTION_DAYS lose their descriptors and preview. Samples of pixels that an earlier version
    did not take are made up for, some at a time. Last, what no crawl of the web asks for any more
    is asked for again, some of it each time (RIS_RECHECK_DAYS). docs/upkeep.md says what is kept.
    """
    from ris_jobs import jobs
    from ris_jobs.report import listing

    killed = None if killed_after is None else timedelta(hours=killed_after)
    bars = Bars(quiet=as_json)
    done = jobs.keep_up(load_settings(), bars, dry_run=dry_run, killed_after=killed)
    show(listing.upkept(asdict(done), dry_run), asdict(done) if as_json else None)


@click.command()
@click.argument("name", metavar="SHA256|URI|PATH")
@click.option("--why", required=True, help="The reason, which is kept.")
@click.option("--by", help="Who erases it; the user of this system unless given.")
@click.option("--allow-return", is_flag=True, help="Take it up again if a crawl sees it again.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def erase(name: str, why: str, by: str | None, allow_return: bool, as_json: bool) -> None:
    """Forget an image, for good.

    Its hashes, descriptors, vectors and preview are erased. That it was seen and which matches it
    had stays known, with who erased it and why. The same bytes are not taken up again unless
    --allow-return is given, now or later. Files in folders of yours are yours to delete, and so are
    reports that were written before and show it.

    \b
    ris erase https://example.org/photo.jpg --why "takedown request 17"
    """
    from ris_jobs import jobs
    from ris_jobs.report import listing

    settings = load_settings()
    done = jobs.erase(settings, name, why, by, allow_return=allow_return)
    told = listing.erased(done.uri, done.by, done.allow_return, settings.home / "reports")
    show(told, asdict(done) if as_json else None)
