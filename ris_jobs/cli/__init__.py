"""The command line: the same jobs as the DAGs, in one process.

Exit status: 0 the work was done (though some images may be quarantined), 1 what was asked for
is not there, 2 a setting is wrong or something the run depends on cannot be used.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import click

from ris_jobs import __version__, logs
from ris_jobs.cli import (
    banks,
    images,
    plan,
    reindex,
    results,
    retention,
    review,
    sources,
    upkeep,
)
from ris_jobs.cli.common import Commands, load_settings
from ris_jobs.errors import ConfigError

__all__ = ["main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ris")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens inside.")
def main(verbose: bool) -> None:
    """Find every image that is a copy of another, how it is one, and which came first.

    \b
    ris demo photos        write a few photos and copies of them into ./photos
    ris scan photos        find the copies among them
    ris search photo.jpg   where does this picture come from?
    ris explain A B        why are these two a match, or why not?
    ris decide A B copy --why TEXT     say of a match that it is a copy, or not
    ris report             the last scan as a web page

    Everything is kept in $RIS_HOME (~/.ris unless set); `ris config show` lists the settings.
    """
    # As on Ctrl-C: what is running ends in order, and the database is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with suppress(ConfigError):  # the command itself says so
        logs.set_up(load_settings(), verbose=verbose)


for command in (
    *(images.scan, images.search, images.explain),
    *(review.decide, review.decide_source, review.template),
    *(results.export, results.history, results.report, results.replay),
    *(sources.source, sources.crawl),
    *(banks.bank, plan.plan, reindex.reindex),
    *(retention.upkeep, retention.erase),
    *(upkeep.config, upkeep.db, upkeep.index, upkeep.doctor, upkeep.status),
    *(upkeep.airflow, upkeep.demo),
):
    main.add_command(command)
