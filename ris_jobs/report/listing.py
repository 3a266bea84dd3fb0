"""Settings and health for a terminal, as ``rich`` renderables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

__all__ = ["checks", "settings"]


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
