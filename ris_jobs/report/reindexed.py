"""A change of the model under way, for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from ris_jobs.report.text import moment, plural, visible

__all__ = ["as_json", "done", "status"]


def status(found: Mapping[str, Any]) -> RenderableType:
    """Which model serves, how far the one beside it is, and who chose which."""
    lines = [Text.assemble("serves      ", (visible(found["serves"]), "bold"))]
    if found["beside"]:
        lines += _beside(found)
    for c in found["choices"]:
        forced = f" (forced: {'; '.join(c['gate'])})" if c["forced"] else ""
        said = f"{moment(c['since'])}  {c['model']}, {c['who']}: {c['why']}{forced}"
        lines.append(Text(f"chosen      {visible(said)}", "dim"))
    return Group(*lines)


def as_json(found: Mapping[str, Any]) -> Any:
    """The same with times as text."""
    return json.loads(json.dumps(found, default=datetime.isoformat))


def done(total: Any) -> RenderableType:
    """What a run of a reindex did, and how fast."""
    described, matched = total.fingerprinted, total.matched
    rate = 60 * described.images / described.seconds if described.seconds else 0
    pairs = plural(matched.written, "match", "matches")
    lines = [
        Text(f"described   {plural(described.images, 'image')}, {rate:,.0f} a minute"),
        Text(f"matched     {plural(matched.images, 'image')}, {pairs}"),
    ]
    if described.undescribed:
        out = plural(described.undescribed, "image")
        lines.append(Text(f"left out    {out}: bytes and preview are gone", "yellow"))
    lines.append(Text("nothing is left to do" if total.ready else "more is left: run it again"))
    return Group(*lines)


def _beside(found: Mapping[str, Any]) -> list[Text]:
    role = "former" if found["switched"] else "new"
    figures = found["figures"]
    names = ("described", "indexed", "matched")
    counts = ", ".join(f"{figures[name]:,} {name}" for name in names)
    pairs = plural(figures["pairs"], "match", "matches")
    more = "nights keep it complete" if found["ready"] else "`ris reindex run` goes on"
    return [
        Text(f"beside      {visible(found['beside'])}, the {role} one"),
        Text(f"since       {moment(found['started_at'])}, by {visible(found['started_by'])}"),
        Text(f"images      {figures['images']:,}: {counts}; {pairs}"),
        Text(f"            {more}"),
    ]
