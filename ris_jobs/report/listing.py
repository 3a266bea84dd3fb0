"""Settings, health, banks and what reviewers did, for a terminal, as ``rich`` renderables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.report.text import moment, plural, visible

__all__ = [
    "banks",
    "checks",
    "decided",
    "erased",
    "imported",
    "marked",
    "settings",
    "source_decided",
    "templates",
    "upkept",
]


def settings(rows: Sequence[tuple[str, str, str, bool]]) -> RenderableType:
    """``rows``: variable, value, meaning, changed from its default; two lines each."""
    lines = []
    for name, value, meaning, changed in rows:
        shown = (f"={value}" if value else " (unset)", "cyan" if changed else "")
        lines += [Text.assemble((name, "bold"), shown), Text(f"    {meaning}", "dim")]
    return Group(*lines)


def checks(rows: Sequence[tuple[str, bool, str, str | None]]) -> RenderableType:
    """``rows``: part, whether it is well, what is there or what is wrong, what to do."""
    width = max((len(part) for part, *_ in rows), default=0)
    lines = []
    for part, well, said, fix in rows:
        mark = ("ok   ", "green") if well else ("WRONG", "red bold")
        lines.append(Text.assemble(mark, f"  {part:<{width}}  {said}"))
        if fix and not well and fix not in said:
            lines.append(Text(f"       {'':<{width}}  {fix}"))
    return Group(*lines)


def banks(rows: Sequence[tuple[str, int, datetime, str]]) -> RenderableType:
    """``rows``: name, hashes, when imported, from which file; a line each."""
    if not rows:
        return Text("no banks; `ris bank import FILE` makes one")
    shown = [
        (visible(n), plural(h, "hash", "hashes"), moment(t), visible(f)) for n, h, t, f in rows
    ]
    names, sizes = (max(len(row[column]) for row in shown) for column in (0, 1))
    return Group(
        *(
            Text.assemble((f"{name:<{names}}", "bold"), f"  {size:>{sizes}}  {when}  {file}")
            for name, size, when, file in shown
        )
    )


def imported(
    bank: str,
    hashes: int,
    changes: Sequence[tuple[int, str]],
    left_out: Sequence[tuple[int, str]],
    problems: Sequence[tuple[str, str]],
    kept: tuple[int, int] = (0, 0),
) -> RenderableType:
    """A bank after an import: how many hashes it has, ``changes`` and what was ``left_out`` (count,
    of what), the first entries that could not be used (place, reason), and how many hashes were
    ``kept`` that the file does not list, because so many entries could not be used or, where that
    is 0, because the file lists none."""
    done = f"{plural(hashes, 'hash', 'hashes')}, {_counted(changes) or 'as before'}"
    lines = [Text.assemble((f"{visible(bank)}: ", "bold"), done)]
    if out := _counted(left_out):
        lines.append(Text(f"left out: {out}"))
    lines += [Text(visible(f"    {place}: {reason}"), "yellow") for place, reason in problems]
    stay, bad = kept
    if stay:
        why = f"for {bad:,} of its entries cannot be used" if bad else "for it only withdraws"
        lines.append(Text(f"kept {stay:,} that the file does not list, {why}", "yellow"))
    return Group(*lines)


def decided(
    answer: str, by: str, before: str | None, after: str | None, changed: int
) -> RenderableType:
    """A decision, the reason (None: none) that its pair was and is suppressed for, and how many
    pairs changed."""
    stands = "it counts" if after is None else f"it is suppressed: {after}"
    was = "" if before == after else f" (before: {before or 'it counted'})"
    return Group(
        Text.assemble((f"{answer}", "bold"), f", by {visible(by)}"),
        Text(f"{stands}{was}"),
        Text(_changed(changed)),
    )


def source_decided(answer: str, by: str, before: str | None, now: str | None) -> RenderableType:
    """A decision on a source, and the URIs of the source before and now (None: undetermined)."""
    was = "" if before == now else f" (before: {visible(before or 'undetermined')})"
    return Group(
        Text.assemble((answer, "bold"), f", by {visible(by)}"),
        Text(f"the source is {visible(now or 'undetermined')}{was}"),
    )


def marked(uri: str, what: str, changed: int) -> RenderableType:
    """An image that is a template now, or ``what`` else, and how many pairs changed."""
    return Group(Text(f"{visible(uri)} is {what}"), Text(_changed(changed)))


def templates(rows: Sequence[tuple[str, datetime, str, str | None]]) -> RenderableType:
    """``rows``: URI, when it was marked, by whom, note; two lines each."""
    if not rows:
        return Text("no templates; `ris template add IMAGE` marks one")
    lines = []
    for uri, when, who, note in rows:
        about = f"    {moment(when)}, {visible(who)}" + (f": {visible(note)}" if note else "")
        lines += [Text(visible(uri), "bold"), Text(about)]
    return Group(*lines)


def upkept(figures: Mapping[str, int], dry_run: bool) -> RenderableType:
    """What upkeep did, or would do: a line for each figure that is not 0."""
    lines = [
        Text(f"{name.replace('_', ' '):<18}{count:,}") for name, count in figures.items() if count
    ]
    if not lines:
        return Text("all is in order")
    return Group(*lines, *([Text("nothing was changed: this was a dry run")] if dry_run else []))


def erased(uri: str, by: str, allow_return: bool, pages: Path) -> RenderableType:
    """An image that was erased, and the folder of the ``pages`` that may show it still."""
    then = "may come back with a crawl" if allow_return else "is not taken up again"
    return Group(
        Text.assemble((visible(uri), "bold"), f" was erased by {visible(by)}"),
        Text(f"the same bytes: {then}"),
        Text(
            f"pages written before may show it still, in {visible(str(pages))} and elsewhere: "
            "delete them; `ris report --run N` writes them again without it"
        ),
    )


def _changed(pairs: int) -> str:
    return f"{plural(pairs, 'pair', 'pairs')} changed" if pairs else "no pair changed"


def _counted(figures: Sequence[tuple[int, str]]) -> str:
    return ", ".join(f"{count:,} {what}" for count, what in figures if count)
