"""What a change of the model changes, as one self-contained HTML page in the report's look."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ris_jobs.report import text
from ris_jobs.report.churn import QUANTILES, Churn, Example
from ris_jobs.report.html import asset, source_hash

__all__ = ["render"]

_SIDE = 240
_BUDGET = 32 << 20
_CLASSES = (
    ("lost", "Lost", "They counted, and would count no more: the likeliest first."),
    ("gained", "Gained", "They would count, and did not: the likeliest first."),
    ("relation", "Another relation or direction", "They count before and after."),
    ("kept", "Another probability", "By a twentieth or more; the largest changes first."),
)


def render(churn: Churn, picture: Callable[[str, int], bytes | None]) -> str:
    """The page. ``picture`` gives an image's thumbnail (JPEG bytes, by sha256 and its longer side
    in pixels) or None; all of them take 32 MiB of the page at most."""
    style = asset("report.css") + asset("churn.css")
    return _template().render(
        churn=churn,
        classes=[(title, lead, churn.shown(kind)) for kind, title, lead in _CLASSES],
        quantiles=list(zip(QUANTILES, churn.quantiles, strict=False)),
        album=_album(churn, picture),
        style=Markup(style),
        csp=f"default-src 'none'; img-src data:; style-src '{source_hash(style)}'; "
        "base-uri 'none'; form-action 'none'",
    )


def _album(churn: Churn, picture: Callable[[str, int], bytes | None]) -> dict[str, Markup]:
    """sha256 → base64 JPEG, as far as there is room."""
    album: dict[str, Markup] = {}
    room = _BUDGET
    for sha256 in _wanted(churn.examples):
        jpeg = picture(sha256, _SIDE)
        if jpeg is not None and len(jpeg) * 4 // 3 <= room:
            album[sha256] = Markup(base64.b64encode(jpeg).decode("ascii"))
            room -= len(album[sha256])
    return album


def _wanted(examples: tuple[Example, ...] | Any) -> dict[str, None]:
    return dict.fromkeys(side.sha256 for e in examples for side in (e.source, e.derived))


def _bars(counts: list[int]) -> list[tuple[float, float, int]]:
    """Of a histogram from −1 to 1: where each bar begins, its height (0–1, of a square root, so
    that few are seen beside many), and how many it is of."""
    most = max(counts, default=0)
    return [
        (-1 + 2 * place / len(counts), (count / most) ** 0.5 if most else 0.0, count)
        for place, count in enumerate(counts)
    ]


def _visible(value: Any) -> Any:
    return text.visible(value) if type(value) is str else value


@cache
def _template() -> Template:
    env = Environment(
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {"name": text.name, "folder": text.folder, "bars": _bars}
    env.globals |= {"plural": text.plural}
    return env.from_string(asset("churn.html"))
