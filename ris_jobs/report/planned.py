"""A plan (:mod:`ris_jobs.planning`) for a terminal, as ``rich`` renderables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ris_jobs.planning import Ask, Constant, Lever, Plan

__all__ = ["planned"]


def planned(plan: Plan) -> RenderableType:
    """What was asked, each figure with its formula, what changes would do, and every constant with
    its source."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for of, figures in groupby(plan.figures, lambda figure: figure.of):
        table.add_row(Text(of, "bold"))
        for f in figures:
            table.add_row(f"  {f.name}", _number(f.value), f.unit, f"= {f.formula}")
    blocks = (_asked(plan.ask), table, _levers(plan.levers), _constants(plan.constants))
    return Group(*(part for block in blocks for part in (block, Text())))


def _asked(ask: Ask) -> RenderableType:
    parts = f"a whole, {ask.grid} windows and at most {ask.boxes} boxes an image"
    return Text(
        f"{ask.images:,} images, {ask.per_night:,} of them new each night; {ask.index}, "
        f"{ask.dim} dimensions, {parts}"
    )


def _levers(levers: Sequence[Lever]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("what it hangs on", "bold"), "memory", "cores for search")
    for lever in levers:
        table.add_row(f"  {lever.change}", f"{_number(lever.memory_gb)} GB", _number(lever.cores))
    return table


def _constants(constants: Sequence[Constant]) -> RenderableType:
    lines = [Text("where the numbers come from", "bold")]
    for c in constants:
        lines.append(Text.assemble(f"  {c.name} = {c.value:g} {c.unit}, {c.kind}"))
        lines.append(Text(f"      {c.source}", "dim"))
    return Group(*lines)


def _number(value: float) -> str:
    """Three digits at least, and no more than make sense."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")
