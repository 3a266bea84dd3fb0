"""Find copies: scan, search, explain."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ris_jobs.cli.common import INPUT, load_settings, opened, show, showing, writing
from ris_jobs.errors import ConfigError
from ris_jobs.settings import Settings


@click.command()
@click.argument("sources", metavar="PATH_OR_URL_OR_SOURCE...", nargs=-1, required=True)
@click.option("--model", help="Descriptor to use: builtin, resnet50 or sscd.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def scan(sources: tuple[str, ...], model: str | None, as_json: bool) -> None:
    """Look at every image under each folder (or at single files), and match what is new.

    A URL is crawled as a website. A name is that of a source (`ris source`), unless there is a
    folder or file of that name here: then source:NAME is the source.

    \b
    ris scan photos https://example.com/news press
    ris scan source:photos     the source of that name, though there is a folder of it here

    What was seen before and has not changed is not read again. Images that cannot be used are
    quarantined with a reason, and the scan goes on.
    """
    from ris_jobs import jobs
    from ris_jobs.report import terminal, views

    settings = load_settings(model=model)
    wanted = [_wanted(s, settings) for s in sources]
    summary = jobs.scan(settings, wanted, showing(settings, quiet=as_json))
    show(terminal.summary(summary), views.as_json(summary) if as_json else None)


@click.command()
@click.argument("image", type=INPUT)
@click.option(
    "--mode",
    type=click.Choice(["source", "similar"]),
    default="source",
    show_default=True,
    help="source: copies of it, typed; similar: the nearest by descriptor.",
)
@click.option("-k", default=20, show_default=True, type=click.IntRange(1, 1000), help="At most.")
@click.option("--model", help="Descriptor to use; it must have been scanned with.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option("-o", "--output", type=INPUT, help="Write a contact sheet (PNG) there.")
def search(
    image: Path, mode: str, k: int, model: str | None, as_json: bool, output: Path | None
) -> None:
    """Where does this picture come from, or what looks like it?

    IMAGE need not have been scanned. Nothing of it is stored.
    """
    from ris_jobs import jobs
    from ris_jobs.report import terminal
    from ris_jobs.report.views import Hit

    settings = load_settings()
    data = _bytes_of(image, settings)
    with opened(settings, model) as (settings, stores):
        answer = jobs.search(stores, settings, data, mode, k)
        if output:
            with writing(output) as out:
                out.write(jobs.contact_sheet(stores, answer))
    hits = [Hit(f.uri, f.cosine, f.said, f.probability) for f in answer.found]
    show(terminal.hits(hits), [asdict(f) for f in answer.found] if as_json else None)


@click.command()
@click.argument("one", metavar="A")
@click.argument("two", metavar="B")
@click.option("--model", help="Descriptor by which to judge a pair that no match is stored of.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option(
    "-o",
    "--output",
    type=INPUT,
    help="Where the picture (PNG) goes; $RIS_HOME/reports/explain.png unless given.",
)
def explain(one: str, two: str, model: str | None, as_json: bool, output: Path | None) -> None:
    """Why are A and B a match, or why not? In words, figures, and a picture.

    A and B are scanned images: URIs, paths or sha256. What the tables hold of the pair is said
    with all that it was decided from; a pair without a match is judged again, and what ruled it
    out is said. The answer is not stored.
    """
    from ris_jobs import jobs
    from ris_jobs.report import explained, explanation

    with opened(load_settings(), model) as (settings, stores):
        found = jobs.explain(stores, settings, one, two)
    if output is None:  # where no scan looks: elsewhere it might be taken for one of the images
        output = settings.home / "reports" / "explain.png"
        output.parent.mkdir(parents=True, exist_ok=True)
    with writing(output) as out:
        out.write(found.picture)
    values = explanation.as_json(found.said) | {"picture": str(output)}
    show(explained.explained(found.said), values if as_json else None)
    if not as_json:
        click.echo(f"{'picture':<12}{output}")


def _wanted(source: str, settings: Settings) -> str | Path:
    """A path, the URL of a website, or a name of a source where there is no such path. A path that
    may be meant for such a name is relative."""
    from ris_jobs.crawl.directory import path_of

    if not source:
        raise ConfigError("PATH_OR_URL_OR_SOURCE", "is empty")
    if source.lower().startswith(("http://", "https://")):
        return source
    if source.startswith("source:"):
        return source.removeprefix("source:")
    if source.startswith("file:"):
        try:
            path = path_of(source)
        except ValueError as e:
            raise ConfigError(source, "is not a file:// URI of an absolute path") from e
    elif "://" in source:
        problem = "is the URL of no website; `ris source add NAME objects URL` makes it a source"
        raise ConfigError(source, problem)
    else:
        path = Path(source).absolute() if "/" in source else Path(source)
        if not path.exists() and _is_source(source, settings):
            return source
    if path.exists() and not (path.is_dir() or path.is_file()):
        raise ConfigError(source, "is neither a folder nor a file")
    return path


def _is_source(name: str, settings: Settings) -> bool:
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine

    with open_engine(settings) as engine:
        return name in (s.name for s in jobs.list_sources(engine))


def _bytes_of(image: Path, settings: Settings) -> bytes:
    from ris_jobs.crawl import directory

    return directory.read(directory.uri_of(image.resolve()), settings.max_bytes)
