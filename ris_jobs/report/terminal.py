"""A run's summary and a search's hits for a terminal, as ``rich`` renderables.

Colour only repeats what the words say, and nothing is wider than it must be: the same
output serves a pipe, a log and a narrow window. Print with ``soft_wrap=True``: paths and URIs
then stay in one piece, to copy or to search for, however narrow the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ris_jobs.report import text
from ris_jobs.report.views import Count, Hit, Pairs, StageTime, Summary

__all__ = ["hits", "summary"]


def summary(run: Summary) -> RenderableType:
    """What a scan did, in the order people ask: images, matches, known hashes, quarantine, time,
    report."""
    blocks: list[RenderableType] = [_header(run)]
    blocks.append(_matches(run) if run.matches else Text("no matches"))
    if run.pairs.candidates:
        blocks.append(_pairs(run.pairs))
    if run.known:
        blocks.append(_known(run.known))
    if run.quarantined:
        blocks.append(_quarantine(run.quarantined))
    if run.anomalies:
        blocks.append(Group(*(Text(f"unusual   {said}", "yellow") for said in run.anomalies)))
    if run.stages:
        blocks.append(_stages(run.stages))
    if run.report:
        blocks.append(_line(("report    ", "bold"), (text.visible(run.report), "cyan")))
    spaced = [part for block in blocks for part in (Text(""), block)]
    return Group(*spaced[1:])


def hits(found: Sequence[Hit]) -> RenderableType:
    """Numbered hits, best first: relation and probability where known, cosine, URI in full."""
    if not found:
        return Text("nothing found")
    ranks = [f"{rank}" for rank in range(1, len(found) + 1)]
    relations = [hit.relation or "similar" for hit in found]
    scores = [_score(hit) for hit in found]
    places, letters, figures = (max(map(len, column)) for column in (ranks, relations, scores))
    return Group(
        *(
            _line(
                (f"{rank:>{places}}", "dim"),
                (f"  {relation:<{letters}}", "cyan"),
                (f"  {score:>{figures}}", ""),
                (f"  {text.visible(hit.uri)}", ""),
            )
            for rank, relation, score, hit in zip(ranks, relations, scores, found, strict=True)
        )
    )


def _score(hit: Hit) -> str:
    if hit.probability is None:
        return f"{hit.cosine:.3f}"
    return text.chance(hit.probability, hit.relation)


def _header(run: Summary) -> RenderableType:
    names = ("new", "changed", "unchanged", "gone", "missed", "refused", "failed")
    counts = {name: getattr(run, name) for name in names}
    parts = ", ".join(f"{n:,} {name}" for name, n in counts.items() if n)
    lines = [_line(("run       ", "bold"), (run.run_id, ""))]
    lines += [_line(("scanned   ", "bold"), (text.visible(root), "")) for root in run.roots]
    lines.append(_line(("images    ", "bold"), (f"{run.seen:,}", "")))
    if parts:
        lines.append(Text("          " + parts, "dim", no_wrap=False))
    lines.append(_line(("families  ", "bold"), (f"{run.families:,}", "")))
    return Group(*lines)


def _matches(run: Summary) -> RenderableType:
    table = _table("matches", "total", "new")
    for relation, count in sorted(run.matches.items(), key=lambda item: -item[1].total):
        table.add_row(Text(relation), f"{count.total:,}", _new(count.new))
    table.add_section()
    counts = run.matches.values()
    total, new = sum(count.total for count in counts), sum(count.new for count in counts)
    table.add_row(Text("in all", "bold"), f"{total:,}", _new(new))
    if run.suppressed:
        table.add_row(Text("suppressed", "dim"), Text(f"{run.suppressed:,}", "dim"), "")
    return table


def _pairs(pairs: Pairs) -> RenderableType:
    compared = f"{pairs.pixels:,} by pixels, {pairs.keypoints:,} by keypoints"
    counted = f"{text.plural(pairs.candidates, 'pair')} compared, {compared}"
    return Text(f"{counted}; {pairs.confirmed:,} confirmed", "dim")


def _known(banks: Mapping[str, Count]) -> RenderableType:
    table = _table("known hashes", "images", "new")
    for name, count in sorted(banks.items(), key=lambda item: -item[1].total):
        style = "yellow" if count.total else ""
        table.add_row(Text(text.visible(name), style), f"{count.total:,}", _new(count.new))
    return table


def _quarantine(reasons: Mapping[str, int]) -> RenderableType:
    table = _table("quarantine", "images")
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        table.add_row(Text(reason, "yellow"), f"{count:,}")
    return table


def _stages(stages: Sequence[StageTime]) -> RenderableType:
    table = _table("stage", "time", "images", "images/s")
    for stage in stages:
        took, rate = text.duration(stage.seconds), text.rate(stage.rate)
        table.add_row(Text(stage.name), took, f"{stage.images:,}", rate)
    return table


def _table(first: str, *figures: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True, min_width=8)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _new(count: int) -> Text:
    return Text(f"+{count:,}", "green") if count else Text("–", "dim")


def _line(*parts: tuple[str, str]) -> Text:
    return Text.assemble(*parts)
