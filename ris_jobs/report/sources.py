"""Sources and their crawls, for a terminal, as ``rich`` renderables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.report.text import moment, plural, visible

__all__ = ["applied", "crawled", "source", "sources"]

_COUNTS = ("new", "changed", "unchanged", "gone", "missed", "refused", "failed")


def sources(rows: Sequence[tuple[str, str, str, bool, str]]) -> RenderableType:
    """``rows``: name, kind, location, whether it is enabled, what its last crawl saw; two lines
    each."""
    if not rows:
        return Text("no sources; `ris source add NAME KIND LOCATION` adds one")
    lines = []
    for name, kind, location, enabled, last in rows:
        state = "" if enabled else "  (disabled)"
        lines.append(Text.assemble((name, "bold"), f"  {kind}  {visible(location)}{state}"))
        lines.append(Text(f"    {last}", "dim"))
    return Group(*lines)


def last_crawl(
    began_at: datetime,
    ended: bool,
    why: str | None,
    seen: int,
    failed: int,
    waiting: int,
    given_up: int,
) -> str:
    """The last crawl of a source in a few words."""
    ending = visible(why or "") if ended else "under way, or interrupted"
    parts = [f"{moment(began_at)}: {plural(seen, 'image')}", ending]
    if failed:
        parts.append(f"{failed:,} failed")
    if waiting:
        parts.append(f"{waiting:,} wait")
    if given_up:
        parts.append(f"{given_up:,} given up")
    return ", ".join(parts)


def source(
    name: str,
    declared: Mapping[str, Any],
    crawls: Sequence[Mapping[str, Any]],
    given_up: Sequence[Mapping[str, Any]],
) -> RenderableType:
    """A source as it is declared, its last crawls with their figures, and what was given up."""
    lines = [Text(name, "bold")]
    lines += [Text(f"    {field}: {visible(_said(value))}") for field, value in declared.items()]
    lines.append(Text("crawls" if crawls else "no crawls yet", "bold"))
    for crawl in crawls:
        lines += _crawl(crawl)
    if given_up:
        lines.append(Text("given up (`ris crawl --retry` tries again)", "bold"))
    for row in given_up:
        lines.append(Text(f"    {visible(row['uri'])}", "yellow"))
        lines.append(Text(f"        {row['reason']}: {visible(row['detail'])}"))
    return Group(*lines)


def crawled(figures: Mapping[str, Any]) -> RenderableType:
    """What a crawl saw, in one line, what it left out, and which sources it did not look at to the
    end."""
    lines = [Text(f"{plural(figures['seen'], 'image')}: {_counts(figures) or 'nothing new'}")]
    if waiting := figures["waiting"]:
        lines.append(Text(f"{waiting:,} wait or were given up (`ris crawl NAME --retry`)"))
    for name, why in figures["incomplete"].items():
        lines.append(Text(f"{name} is not complete: {visible(why)}", "yellow"))
    return Group(*lines)


def applied(done: Sequence[tuple[str, str]], unchanged: int, dry_run: bool) -> RenderableType:
    """What a file of sources changed, or would change."""
    would = "would be " if dry_run else ""
    lines = [Text.assemble((name, "bold"), f"  {would}{what}") for name, what in done]
    return Group(*lines, Text(f"{plural(unchanged, 'source')} as before"))


def _crawl(crawl: Mapping[str, Any]) -> list[Text]:
    ending = visible(crawl["why"] or "under way, or interrupted")
    seen = plural(crawl["seen"], "image")
    said = "; ".join(filter(None, (_counts(crawl), f"{crawl['bytes']:,} bytes", ending)))
    lines = [Text(f"    {moment(crawl['began_at'])}  {seen}: {said}")]
    for reason, total in sorted(crawl["refusals"].items()):
        lines.append(Text(f"        {reason}: {total:,}", "yellow"))
    for host, figures in sorted(crawl["hosts"].items()):
        asked = f"{figures['requests']:,} requests, {figures['bytes']:,} bytes"
        lines.append(Text(f"        {visible(host)}: {asked}, {figures['seconds']:.0f} s"))
    return lines


def _counts(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{figures[name]:,} {name}" for name in _COUNTS if figures[name])


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_said(v)}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
