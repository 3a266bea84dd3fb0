"""The command line: the same jobs as the DAGs, in one process.

Exit status: 0 the work was done (though some images may be quarantined), 1 what was asked for
is not there, 2 a setting is wrong or something the run depends on cannot be used.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console

from ris_jobs import __version__
from ris_jobs.errors import ConfigError, RisError
from ris_jobs.report.export import Format
from ris_jobs.settings import Settings

_INPUT = click.Path(path_type=Path)


class _Commands(click.Group):
    """Turns every error made for people into one line on stderr and its exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RisError as e:
            click.echo(f"ris: {e}", err=True)
            ctx.exit(e.exit_code)
        except BrokenPipeError:
            # The reader (head, less) has seen enough.
            sys.stderr.close()
            ctx.exit(0)
        except OSError as e:
            place = f"{e.filename}: " if e.filename else ""
            click.echo(f"ris: {place}{e.strerror or e}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    # Alembic and the drivers are of interest to those who ask for them only.
    if not verbose:
        logging.getLogger("alembic").setLevel(logging.ERROR)


@main.command()
@click.argument("sources", metavar="PATH_OR_URL...", nargs=-1, required=True)
@click.option("--model", help="Descriptor to use: builtin, resnet50 or sscd.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def scan(sources: tuple[str, ...], model: str | None, as_json: bool) -> None:
    """Look at every image under each folder (or at single files), and match what is new.

    What was seen before and has not changed is not read again. Images that cannot be used are
    quarantined with a reason, and the scan goes on.
    """
    from ris_jobs import jobs
    from ris_jobs.report import terminal, views

    settings = _settings(model=model)
    roots = [_root(s) for s in sources]
    summary = jobs.scan(settings, roots, _Bars(quiet=as_json))
    if as_json:
        click.echo(json.dumps(views.as_json(summary), indent=2))
    else:
        _console().print(terminal.summary(summary), soft_wrap=True)


@main.command()
@click.argument("image", type=_INPUT)
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
@click.option("-o", "--output", type=_INPUT, help="Write a contact sheet (PNG) there.")
def search(
    image: Path, mode: str, k: int, model: str | None, as_json: bool, output: Path | None
) -> None:
    """Where does this picture come from, or what looks like it?

    IMAGE need not have been scanned. Nothing of it is stored.
    """
    from ris_jobs import jobs

    settings = _settings(model=model)
    data = _bytes_of(image, settings)
    with _stores(settings) as stores:
        answer = jobs.search(stores, settings, data, mode, k)
        if output:
            with _writing(output) as out:
                out.write(jobs.contact_sheet(stores, answer))
    if as_json:
        click.echo(json.dumps([asdict(f) for f in answer.found], indent=2))
    else:
        _print_hits(answer.found)


@main.command()
@click.argument("one", metavar="A")
@click.argument("two", metavar="B")
@click.option("--model", help="Descriptor by which to judge a pair that no match is stored of.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option(
    "-o",
    "--output",
    type=_INPUT,
    default=Path("explain.png"),
    show_default=True,
    help="Where the picture (PNG) goes.",
)
def explain(one: str, two: str, model: str | None, as_json: bool, output: Path) -> None:
    """Why are A and B a match, or why not? In words, figures, and a picture.

    A and B are scanned images: URIs, paths or sha256. What the tables hold of the pair is said
    with all that it was decided from; a pair without a match is judged again, and what ruled it
    out is said. The answer is not stored.
    """
    from ris_jobs import jobs
    from ris_jobs.report import explained, explanation

    settings = _settings(model=model)
    with _stores(settings) as stores:
        found = jobs.explain(stores, settings, one, two)
    with _writing(output) as out:
        out.write(found.picture)
    if as_json:
        values = explanation.as_json(found.said) | {"picture": str(output)}
        click.echo(json.dumps(values, indent=2))
    else:
        _console().print(explained.explained(found.said), soft_wrap=True)
        click.echo(f"{'picture':<12}{output}")


@main.command()
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

    settings = _settings()
    with open_engine(settings) as engine:
        done = jobs.decide(engine, settings, one, two, answer, why, by)
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
    else:
        said = listing.decided(done.answer, done.by, done.before, done.suppressed, done.changed)
        _console().print(said, soft_wrap=True)


@main.group()
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

    settings = _settings()
    with open_engine(settings) as engine:
        done = jobs.add_template(engine, settings, image, note, by)
    what = "a template now" if done.new else "a template already"
    _console().print(listing.marked(done.uri, what, done.changed), soft_wrap=True)


@template.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def template_list(as_json: bool) -> None:
    """Every template: when it was marked, by whom, and what it is."""
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    with open_engine(_settings()) as engine:
        found = jobs.list_templates(engine)
    if as_json:
        rows = [asdict(t) | {"marked_at": t.marked_at.isoformat()} for t in found]
        click.echo(json.dumps(rows, indent=2))
    else:
        lines = [(t.uri, t.marked_at, t.who, t.note) for t in found]
        _console().print(listing.templates(lines), soft_wrap=True)


@template.command("remove")
@click.argument("image")
def template_remove(image: str) -> None:
    """Let the pairs of a template count again, as far as nothing else speaks against them."""
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    settings = _settings()
    with open_engine(settings) as engine:
        done = jobs.remove_template(engine, settings, image)
    said = listing.marked(done.uri, "a template no more", done.changed)
    _console().print(said, soft_wrap=True)


@main.command()
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
@click.option("-o", "--output", type=_INPUT, help="Write there; without it, to standard output.")
def export(what: str, form: Format, as_of: str | None, output: Path | None) -> None:
    """Write a table for other programs. The columns are described in docs/export.md."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine

    if form == "parquet" and output is None and sys.stdout.isatty():
        raise ConfigError("--output", "is needed: Parquet is not for a terminal")
    with open_engine(_settings()) as engine, _writing(output) as out:
        jobs.export(engine, what, form, out, as_of)


@main.command()
@click.argument("name", metavar="URI|SHA256|PATH")
@click.option("--as-of", help="What was known after a run (its number), or at a time.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def history(name: str, as_of: str | None, as_json: bool) -> None:
    """What was ever seen at a URI, or of an image wherever it was, and what was believed of it.

    A time is ISO 8601, in UTC unless it says otherwise; a date means the end of that day.
    """
    from ris_jobs import jobs
    from ris_jobs.report import history as told
    from ris_jobs.store.postgres import open_engine

    settings = _settings()
    with open_engine(settings) as engine:
        found = jobs.history(engine, settings, name, as_of)
    if as_json:
        click.echo(json.dumps(told.as_json(found), indent=2))
    else:
        _console().print(told.timeline(found), soft_wrap=True)


@main.command()
@click.option(
    "--run",
    "run_id",
    type=click.IntRange(1, 2**63 - 1),
    help="Which run; without it, the last scan.",
)
@click.option("-o", "--output", type=_INPUT, help="Where; $RIS_HOME/reports unless given.")
def report(run_id: int | None, output: Path | None) -> None:
    """Write a run as one self-contained web page and print its path."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine
    from ris_jobs.store.previews import open_previews

    settings = _settings()
    with open_engine(settings) as engine:
        out = output or settings.home / "reports" / (
            f"run-{run_id}.html" if run_id else "last.html"
        )
        click.echo(jobs.report(engine, open_previews(settings), run_id, out))


@main.command()
@click.argument("run_id", metavar="RUN", type=click.IntRange(1, 2**63 - 1))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def replay(run_id: int, as_json: bool) -> None:
    """Judge all matches of RUN again, from what is stored, and compare; exit 1 if one differs.

    The settings, the model and the calibration are those of the run. Nothing is written.
    """
    from ris_jobs import jobs
    from ris_jobs.report import replayed
    from ris_jobs.store.postgres import open_engine
    from ris_jobs.store.previews import open_previews

    settings = _settings()
    with open_engine(settings) as engine:
        previews = open_previews(settings)
        done = jobs.replay(engine, previews, settings, run_id, _Bars(quiet=as_json))
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
    else:
        _console().print(replayed.replayed(done), soft_wrap=True)
    if done.differences:
        raise click.exceptions.Exit(1)


@main.group()
def bank() -> None:
    """Lists of known PDQ hashes, which every scan looks for."""


@bank.command("import")
@click.argument("file", type=_INPUT)
@click.option("--name", help="Of the bank; the file's without its ending unless given.")
def bank_import(file: Path, name: str | None) -> None:
    """Make a bank what FILE says: CSV, JSON or JSON lines, as ThreatExchange and HMA write them.

    What cannot be used is counted and left out. The next scan compares what is new with all
    images.
    """
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    with open_engine(_settings()) as engine:
        done = jobs.import_bank(engine, file, name)
    found, changed = done.found, done.changed
    changes = (
        (changed.added, "added"),
        (changed.relabelled, "given another label"),
        (changed.removed, "removed"),
    )
    left_out = (
        (found.others, "of another signal type or withdrawn"),
        (found.bad, "that cannot be used"),
    )
    problems = [(p.place, p.reason) for p in found.problems]
    said = listing.imported(done.name, len(found.hashes), changes, left_out, problems)
    _console().print(said, soft_wrap=True)


@bank.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def bank_list(as_json: bool) -> None:
    """Every bank: its hashes, when it was imported and from which file."""
    from ris_jobs import jobs
    from ris_jobs.report import listing
    from ris_jobs.store.postgres import open_engine

    with open_engine(_settings()) as engine:
        banks = jobs.list_banks(engine)
    if as_json:
        rows = [asdict(b) | {"imported_at": b.imported_at.isoformat()} for b in banks]
        click.echo(json.dumps(rows, indent=2))
    else:
        lines = [(b.name, b.hashes, b.imported_at, b.file) for b in banks]
        _console().print(listing.banks(lines), soft_wrap=True)


@bank.command("remove")
@click.argument("name")
def bank_remove(name: str) -> None:
    """Forget a bank, its hashes and their hits."""
    from ris_jobs import jobs
    from ris_jobs.store.postgres import open_engine

    with open_engine(_settings()) as engine:
        jobs.remove_bank(engine, name)
    click.echo(f"bank {name} is removed")


@main.group()
def config() -> None:
    """The settings: RIS_* in the environment."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def config_show(as_json: bool) -> None:
    """Every setting with its value, passwords and tokens masked."""
    from ris_jobs.report import listing

    settings = _settings()
    if as_json:
        click.echo(json.dumps(settings.masked(), indent=2))
    else:
        _console().print(listing.settings(settings.explained()), soft_wrap=True)


@main.group()
def db() -> None:
    """The PostgreSQL database, for analysts: docs/analysts.md."""


@db.command("psql", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def db_psql(arguments: tuple[str, ...]) -> None:
    """Open psql, or run it with ARGUMENTS such as -c "SELECT * FROM ris.duplicates"."""
    from ris_jobs import jobs

    raise click.exceptions.Exit(jobs.psql(_settings(), arguments))


@db.command("grant-reader")
@click.argument("role", default="ris_reader")
def db_grant_reader(role: str) -> None:
    """Let ROLE (ris_reader unless given) read every table and view, and write none.

    It is made where it is missing, as a group that nobody can log in as: GRANT it to those who
    may read.
    """
    from ris_jobs import jobs

    jobs.grant_reader(_settings(), role)
    click.echo(f"{role} can read now")


@main.group()
def index() -> None:
    """The Milvus index, which is derived from PostgreSQL."""


@index.command("check")
@click.option("--model", help="Whose index.")
def index_check(model: str | None) -> None:
    """Compare Milvus with PostgreSQL; exit 1 if they differ."""
    from ris_jobs import jobs

    with _stores(_settings(model=model)) as stores:
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

    with _stores(_settings(model=model)) as stores:
        click.echo(f"{jobs.rebuild_index(stores)} images indexed")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Try every part this service needs, and say what is wrong; exit 1 if something is."""
    from ris_jobs import doctor as checks
    from ris_jobs.report import listing

    results = list(checks.examine(_settings()))
    if as_json:
        click.echo(json.dumps([asdict(r) for r in results], indent=2))
    else:
        lines = [(r.part, r.problem is None, r.problem or r.detail, r.fix) for r in results]
        _console().print(listing.checks(lines), soft_wrap=True)
    if any(r.problem for r in results):
        raise click.exceptions.Exit(1)


@main.command()
@click.argument("folder", type=_INPUT)
def demo(folder: Path) -> None:
    """Write a few photos and copies of them into FOLDER, to try the other commands on."""
    from ris_jobs.demo.folder import write

    photos, copies = write(folder)
    click.echo(f"{photos} photos and {copies} copies of them in {folder}")


# ── helpers ──────────────────────────────────────────────────────────────────────────────────


def _settings(**overrides: Any) -> Settings:
    given = {k: v for k, v in overrides.items() if v is not None}
    return replace(Settings.from_env(), **given)


def _root(source: str) -> Path:
    from ris_jobs.crawl.directory import path_of

    if not source:
        raise ConfigError("PATH_OR_URL", "is empty")
    if source.startswith("file:"):
        try:
            path = path_of(source)
        except ValueError as e:
            raise ConfigError(source, "is not a file:// URI of an absolute path") from e
    elif "://" in source:
        raise ConfigError(source, "cannot be scanned: this version reads local folders and files")
    else:
        path = Path(source)
    if path.exists() and not (path.is_dir() or path.is_file()):
        raise ConfigError(source, "is neither a folder nor a file")
    return path


def _bytes_of(image: Path, settings: Settings) -> bytes:
    from ris_jobs.crawl import directory

    return directory.read(directory.uri_of(image.resolve()), settings.max_bytes)


@contextmanager
def _stores(settings: Settings) -> Iterator[Any]:
    from ris_jobs.jobs.models import model_of
    from ris_jobs.store.stores import open_stores

    with open_stores(settings, model_of(settings)) as stores:
        yield stores


@contextmanager
def _writing(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears only when it is whole; a device or a pipe is
    written to as it is."""
    if output is None:
        yield sys.stdout.buffer
        return
    output = output.resolve()
    if output.exists() and not output.is_file():
        with output.open("wb") as file:
            yield file
        return
    part = output.with_name(f"{output.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _print_hits(found: Sequence[Any]) -> None:
    from ris_jobs.report import terminal
    from ris_jobs.report.views import Hit

    hits = [Hit(f.uri, f.cosine, f.said, f.probability) for f in found]
    _console().print(terminal.hits(hits), soft_wrap=True)


def _console() -> Console:
    return Console(highlight=False)


class _Bars:
    """Progress bars on stderr; nothing where stderr is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Callable[[int], None]]:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        with ExitStack() as stack:
            bars = stack.enter_context(
                Progress(
                    TextColumn("{task.description:<12}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeElapsedColumn(),
                    TimeRemainingColumn(),
                    console=self._console,
                    transient=True,
                )
            )
            task = bars.add_task(name, total=total)
            yield lambda n: bars.advance(task, n)
