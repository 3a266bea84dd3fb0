"""Lists of known hashes: bank."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ris_jobs.cli.common import INPUT, load_settings, show


@click.group()
def bank() -> None:
    """Lists of known PDQ hashes, which every scan looks for."""


@bank.command("import")
@click.argument("file", type=INPUT)
@click.option("--name", help="Of the bank; the file's without its ending unless given.")
def bank_import(file: Path, name: str | None) -> None:
    """Make a bank what FILE says: CSV, JSON or JSON lines, as ThreatExchange and HMA write them.

    What FILE lists no more leaves the bank with its hits. What cannot be used is counted and left
    out; while there is any, only what FILE withdraws leaves the bank, for FILE may have been cut
    off. So it does where FILE lists nothing else. Hashes of quality below 50 are left out. The
    next scan compares what is new with all images.
    """
    from ris_jobs import jobs
    from ris_jobs.match.banks import MIN_QUALITY
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    with open_engine(load_settings()) as engine:
        done = jobs.import_bank(engine, file, name)
    found, changed = done.found, done.changed
    changes = (
        (changed.added, "added"),
        (changed.relabelled, "given another label"),
        (changed.removed, "removed"),
    )
    left_out = (
        (found.others, "of another signal type or withdrawn"),
        (len(found.poor), f"of quality below {MIN_QUALITY}"),
        (found.bad, "that cannot be used"),
    )
    problems = [(p.place, p.reason) for p in found.problems]
    hashes = len(found.hashes) + changed.kept
    kept = (changed.kept, found.bad)
    show(listing.imported(done.name, hashes, changes, left_out, problems, kept))


@bank.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bank_list(as_json: bool) -> None:
    """Every bank: its hashes, when it was imported and from which file."""
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    with open_engine(load_settings()) as engine:
        banks = jobs.list_banks(engine)
    rows = [asdict(b) | {"imported_at": b.imported_at.isoformat()} for b in banks]
    lines = [(b.name, b.hashes, b.imported_at, b.file) for b in banks]
    show(listing.banks(lines), rows if as_json else None)


@bank.command("remove")
@click.argument("name")
def bank_remove(name: str) -> None:
    """Forget a bank, its hashes and their hits."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine

    with open_engine(load_settings()) as engine:
        jobs.remove_bank(engine, name)
    click.echo(f"bank {name} is removed")
