"""What is crawled: source, crawl."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click
import yaml

from ris_jobs.cli.common import INPUT, Bars, load_settings, show
from ris_jobs.crawl.source import Kind
from ris_jobs.errors import ConfigError
from ris_jobs.jobs.sources import Listed


@click.group()
def source() -> None:
    """Places that are crawled again and again: folders, object stores, lists of URLs, websites.

    \b
    ris source add press web https://example.com/press --tag press --contact me@example.org
    ris crawl press            look at it now
    ris source show press      what its crawls saw
    ris source apply sources.yaml        make true what a file says (docs/sources.yaml)
    """


@source.command("add")
@click.argument("name")
@click.argument("kind", type=click.Choice(get_args(Kind)))
@click.argument("location")
@click.option("--include", multiple=True, help="Pattern for URIs of images that are taken.")
@click.option("--exclude", multiple=True, help="Pattern for URIs of images that are not.")
@click.option("--tag", "tags", multiple=True, help="A word that exports give with each image.")
@click.option("--schedule", help="A cron expression, for whoever plans crawls.")
@click.option("--credentials", help="env:NAME or airflow:CONN_ID; never the secret itself.")
@click.option("--contact", help="URL or mail address that servers are told; else RIS_CONTACT.")
@click.option("--delay", type=float, help="Least seconds between two requests to a host.")
@click.option(
    "--set", "more", multiple=True, metavar="FIELD=VALUE", help="limits.pages=100 and so on."
)
@click.option("--replace", is_flag=True, help="Change the source of that name; its history stays.")
def source_add(
    name: str,
    kind: str,
    location: str,
    more: tuple[str, ...],
    contact: str | None,
    delay: float | None,
    replace: bool,
    **given: Any,
) -> None:
    """Add a source, or say anew with --replace what one is. KIND says what LOCATION is.

    \b
    directory   a folder of this machine
    objects     an object store: s3://bucket/folder, gs://…, abfs://…, sftp://host/folder
    urls        a list of image URLs (CSV, JSON lines, Parquet): a file or a URL
    web         the URL of a page, sitemap or feed to begin at
    """
    from ris_jobs import jobs
    from ris_jobs.crawl.declared import source_of

    declared = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items() if v}
    declared |= {"kind": kind, "location": _location(kind, location)}
    manners = {"contact": contact, "delay": delay}
    declared["politeness"] = {k: v for k, v in manners.items() if v is not None}
    for field in more:
        _set(declared, field)
    with _engine() as engine:
        jobs.add_source(engine, source_of(name, declared), replace=replace)
    click.echo(
        f"source {name} is {'changed' if replace else 'added'}; `ris crawl {name}` looks at it"
    )


@source.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def source_list(as_json: bool) -> None:
    """Every source, and what its last crawl saw."""
    from ris_jobs import jobs
    from ris_jobs.report import sources

    with _engine() as engine:
        found = jobs.list_sources(engine)
    lines = [
        (s.name, s.declared["kind"], s.declared["location"], s.enabled, _last(s)) for s in found
    ]
    show(sources.sources(lines), [_plain(asdict(s)) for s in found] if as_json else None)


@source.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def source_show(name: str, as_json: bool) -> None:
    """A source, its last crawls with their figures, and what was given up."""
    from ris_jobs import jobs
    from ris_jobs.report import sources

    with _engine() as engine:
        found = jobs.show_source(engine, name)
    said = sources.source(name, found.listed.declared, found.crawls, found.given_up)
    show(said, _plain(asdict(found)) if as_json else None)


@source.command("enable")
@click.argument("name")
def source_enable(name: str) -> None:
    """Let nightly crawls look at a source again."""
    _enable(name, True)


@source.command("disable")
@click.argument("name")
def source_disable(name: str) -> None:
    """Let nightly crawls pass a source over; `ris crawl NAME` still looks at it."""
    _enable(name, False)


@source.command("remove")
@click.argument("name")
def source_remove(name: str) -> None:
    """Forget a source. What it brought stays, and its crawls too."""
    from ris_jobs import jobs

    with _engine() as engine:
        jobs.remove_source(engine, name)
    click.echo(f"source {name} is removed; what it brought stays")


@source.command("apply")
@click.argument("file", type=INPUT)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--adopt", is_flag=True, help="Take over what another file brought (it was moved).")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def source_apply(file: Path, dry_run: bool, adopt: bool, as_json: bool) -> None:
    """Make true what FILE (YAML) says: add sources, change them, remove those that it brought.

    Sources of its names that were added by hand are FILE's from then on (adopted).
    docs/sources.yaml is an example with all that can be said.
    """
    from ris_jobs import jobs
    from ris_jobs.report import sources

    with _engine() as engine:
        done = jobs.apply_sources(engine, file, dry_run=dry_run, adopt=adopt)
    values = {"done": dict(done.done), "unchanged": done.unchanged, "dry_run": dry_run}
    show(sources.applied(done.done, done.unchanged, dry_run), values if as_json else None)


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All sources that are enabled.")
@click.option("--retry", is_flag=True, help="Ask again for what was given up or has to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def crawl(names: tuple[str, ...], every: bool, retry: bool, as_json: bool) -> None:
    """Look at sources, and note what is new, changed or gone; `ris scan` then does the rest.

    A crawl that was killed goes on where it was, if it began in the last 72 hours.
    """
    from ris_jobs import jobs
    from ris_jobs.report import sources

    if bool(names) == every:
        raise ConfigError("NAME", "is needed: names of sources, or --all")
    settings = load_settings()
    names = names or tuple(source.name for source in jobs.nightly(settings))
    if retry:
        with _engine() as engine:
            for name in names:
                jobs.retry_source(engine, name)
    figures = asdict(jobs.crawl_only(settings, names, Bars(quiet=as_json)))
    show(sources.crawled(figures), figures if as_json else None)


@contextmanager
def _engine() -> Iterator[Any]:
    from ris_jobs.store.postgres import open_engine

    with open_engine(load_settings()) as engine:
        yield engine


def _enable(name: str, enabled: bool) -> None:
    from ris_jobs import jobs

    with _engine() as engine:
        jobs.enable_source(engine, name, enabled)
    click.echo(f"source {name} is {'enabled' if enabled else 'disabled'}")


def _location(kind: str, location: str) -> str:
    """A folder or file may be named as the shell does."""
    local = kind in ("directory", "urls") and "://" not in location and location
    return str(Path(location).expanduser().resolve()) if local else location


def _set(declared: dict[str, Any], field: str) -> None:
    """``limits.pages=100``: the value is read as in YAML."""
    path, mark, text = field.partition("=")
    *outer, name = path.strip().split(".")
    if not mark or not name or len(outer) > 1:
        raise ConfigError("--set", f"must be FIELD=VALUE such as limits.pages=100, not {field!r}")
    inner = declared.setdefault(outer[0], {}) if outer else declared
    if not isinstance(inner, dict):
        raise ConfigError("--set", f"cannot set a part of {outer[0]}")
    try:
        inner[name] = yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise ConfigError("--set", f"has a value that cannot be read: {field!r}") from e


def _last(listed: Listed) -> str:
    from ris_jobs.report.sources import last_crawl

    if (last := listed.last) is None:
        return "not crawled yet"
    ended = last.ended_at is not None
    return last_crawl(
        last.began_at, ended, last.why, last.seen, last.failed, last.waiting, last.given_up
    )


def _plain(value: Any) -> Any:
    """As JSON has it: times as ISO 8601."""
    return json.loads(json.dumps(value, default=lambda at: at.isoformat()))
