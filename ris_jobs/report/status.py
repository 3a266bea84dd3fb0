"""How the service is doing, for a terminal, as ``rich`` renderables."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ris_jobs.report.operation import Ran, Status, Waiting
from ris_jobs.report.text import duration, moment, plural

__all__ = ["status"]

_COLOURS = {"failed": "red", "cut off": "yellow", "running": "cyan"}


def status(s: Status) -> RenderableType:
    """What needs a hand first; then what waits, the last runs, upkeep where it is none of them,
    quarantine and sizes."""
    blocks: list[RenderableType] = [_needs(s), _waiting(s), _runs(s)]
    if s.upkeep not in s.runs:
        blocks.append(_upkeep(s))
    if s.quarantine:
        blocks.append(_quarantine(s))
    blocks.append(_sizes(s))
    spaced = [part for block in blocks for part in (Text(""), block)]
    return Group(*spaced[1:])


def _needs(s: Status) -> RenderableType:
    if not s.needs:
        return Text(
            "all is well" if s.runs else "nothing was scanned yet: ris scan FOLDER", "green"
        )
    lines = [Text(f"  {said}", "yellow") for said in s.needs]
    return Group(Text("needs a hand", "bold red"), *lines)


def _waiting(s: Status) -> RenderableType:
    pending = [w for w in s.waiting if w.images]
    if not pending:
        return Text("nothing waits")
    table = _table("waiting for", "", "oldest")
    for w in pending:
        table.add_row(w.stage, _counted(w), duration(w.age.total_seconds()) if w.age else "")
    return table


def _counted(w: Waiting) -> str:
    return plural(w.images, "pair" if w.stage == "resolve" else "image")


def _runs(s: Status) -> RenderableType:
    if not s.runs:
        return Text("no runs")
    numbers = max(len(str(run.run_id)) for run in s.runs)
    lines = [Text("runs", "bold")]
    for run in s.runs:
        lines += [_run(run, numbers), *(Text(f"    {said}", "dim") for said in _told(run))]
    return Group(*lines)


def _run(run: Ran, numbers: int) -> Text:
    took = f", took {duration(run.took.total_seconds())}" if run.took is not None else ""
    return Text.assemble(
        f"  {run.run_id:>{numbers}}  {run.kind:<7}  ",
        (f"{run.state:<7}", _COLOURS.get(run.state, "")),
        f"  {moment(run.started_at)}{took}",
    )


def _upkeep(s: Status) -> RenderableType:
    if s.upkeep is None:
        return Text("upkeep has not run yet")
    return Group(Text("upkeep", "bold"), _run(s.upkeep, len(str(s.upkeep.run_id))))


def _told(run: Ran) -> list[str]:
    return [said for said in (_stages(run), *run.anomalies) if said]


def _stages(run: Ran) -> str:
    whole = [stage for stage in run.stages if ":" not in stage.name and stage.seconds >= 0.05]
    return ", ".join(f"{stage.name} {duration(stage.seconds)}" for stage in whole)


def _quarantine(s: Status) -> RenderableType:
    table = _table("quarantine", "URIs")
    for reason, count in sorted(s.quarantine.items(), key=lambda item: -item[1]):
        table.add_row(reason, f"{count:,}")
    return table


def _sizes(s: Status) -> RenderableType:
    table = _table("holds", "")
    for name, size in s.sizes.items():
        what, _, unit = name.rpartition("_")
        shown = _size(size) if unit == "bytes" else f"{size:,}"
        table.add_row(what.replace("_", " ") if unit == "bytes" else name, shown)
    return table


def _size(count: int) -> str:
    """Of bytes."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _table(first: str, *more: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in (first, *more):
        table.add_column(title, no_wrap=True)
    return table
