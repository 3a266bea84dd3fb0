"""What reviewers say: decide, decide-source, template."""

from __future__ import annotations

from dataclasses import asdict

import click

from ris_jobs.cli.common import load_settings, show


@click.command()
@click.argument("one", metavar="A")
@click.argument("two", metavar="B")
@click.argument("answer", type=click.Choice(["copy", "not-copy", "unsure"]))
@click.option("--why", required=True, help="The reason, for those who come after.")
@click.option("--by", help="Who decides; the user of this system unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print what changed as JSON.")
def decide(one: str, two: str, answer: str, why: str, by: str | None, as_json: bool) -> None:
    """Say of the match of A and B that it is a copy, or not, and let that count.

    A and B are named as for `ris explain`. copy reinstates a suppressed pair, not-copy suppresses
    it, unsure leaves it to what was judged. The last decision of a pair counts, also when the
    pair is judged again; all are kept.
    """
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    settings = load_settings()
    with open_engine(settings) as engine:
        done = jobs.decide(engine, settings, one, two, answer, why, by)
    said = listing.decided(done.answer, done.by, done.before, done.suppressed, done.changed)
    show(said, asdict(done) if as_json else None)


@click.command("decide-source")
@click.argument("image")
@click.argument("source", metavar="SOURCE|undetermined|unsure")
@click.option("--why", required=True, help="The reason, for those who come after.")
@click.option("--by", help="Who decides; the user of this system unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print what changed as JSON.")
def decide_source(image: str, source: str, why: str, by: str | None, as_json: bool) -> None:
    """Say which picture IMAGE's family comes from, and let that go before all evidence.

    IMAGE and SOURCE are named as for `ris explain`, and must match; they may be the same.
    undetermined says that nobody can tell, unsure leaves it to the evidence. The last decision of
    an image counts, also when its family grows; all are kept.
    """
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    settings = load_settings()
    with open_engine(settings) as engine:
        done = jobs.decide_source(engine, settings, image, source, why, by)
    said = listing.source_decided(done.answer, done.by, done.before, done.now)
    show(said, asdict(done) if as_json else None)


@click.group()
def template() -> None:
    """Images that others are made from by filling them in, so that matching one says little."""


@template.command("add")
@click.argument("image")
@click.option("--note", help="What it is.")
@click.option("--by", help="Who says so; the user of this system unless given.")
def template_add(image: str, note: str | None, by: str | None) -> None:
    """Suppress pairs of images that both match IMAGE, unless they are copies as they are filled in.

    IMAGE is a scanned image, named as for `ris explain`: the blank of a meme, a form, a screen, a
    logo. Images of later scans are held to it, too.
    """
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    settings = load_settings()
    with open_engine(settings) as engine:
        done = jobs.add_template(engine, settings, image, note, by)
    what = "a template now" if done.new else "a template already"
    show(listing.marked(done.uri, what, done.changed))


@template.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def template_list(as_json: bool) -> None:
    """Every template: when it was marked, by whom, and what it is."""
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    with open_engine(load_settings()) as engine:
        found = jobs.list_templates(engine)
    rows = [asdict(t) | {"marked_at": t.marked_at.isoformat()} for t in found]
    lines = [(t.uri, t.marked_at, t.who, t.note) for t in found]
    show(listing.templates(lines), rows if as_json else None)


@template.command("remove")
@click.argument("image")
def template_remove(image: str) -> None:
    """Let the pairs of a template count again, as far as nothing else speaks against them."""
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    settings = load_settings()
    with open_engine(settings) as engine:
        done = jobs.remove_template(engine, settings, image)
    show(listing.marked(done.uri, "a template no more", done.changed))
