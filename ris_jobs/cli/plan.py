"""What a large collection takes: plan."""

from __future__ import annotations

import re
from dataclasses import asdict

import click

from ris_jobs.cli.common import show
from ris_jobs.indexes import KINDS

_REGIONS = re.compile(r"([0-5])\+(\d|[1-4]\d|50)")


def _grid_and_boxes(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[int, int]:
    found = _REGIONS.fullmatch(value)
    if found is None:
        raise click.BadParameter("must be 0 to 5 windows, +, 0 to 50 boxes, such as 5+10")
    return int(found[1]), int(found[2])


@click.command()
@click.option("--images", type=click.IntRange(1), required=True, help="All images.")
@click.option("--per-night", type=click.IntRange(0), required=True, help="New ones of them.")
@click.option("--index", type=click.Choice([*KINDS]), default="HNSW", show_default=True)
@click.option(
    "--dim", type=click.IntRange(8, 32_768), default=256, show_default=True,
    help="Values of a vector; the built-in model's.",
)  # fmt: skip
@click.option(
    "--regions", metavar="GRID+BOXES", callback=_grid_and_boxes, default="5+10", show_default=True
)
@click.option("--nodes", type=click.IntRange(1), help="Machines for the jobs; unset: enough.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def plan(
    images: int,
    per_night: int,
    index: str,
    dim: int,
    regions: tuple[int, int],
    nodes: int | None,
    as_json: bool,
) -> None:
    """Machines, memory, disk and hours of a night, each with its formula.

    \b
    ris plan --images 100_000_000 --per-night 2_000_000 --index HNSW_SQ

    The constants say where they come from: measured, cited, by design or assumed. docs/scale.md
    says what to make of it.
    """
    from ris_jobs import planning
    from ris_jobs.report.planned import planned

    if per_night > images:
        raise click.BadParameter(
            "are of all --images, and cannot be more", param_hint="--per-night"
        )
    grid, boxes = regions
    asked = planning.Ask(
        images=images,
        per_night=per_night,
        index=index,
        dim=dim,
        grid=grid,
        boxes=boxes,
        nodes=nodes,
    )
    made = planning.plan(asked)
    values = {
        "asked": asdict(asked),
        "figures": [asdict(f) | {"constants": [c.name for c in f.constants]} for f in made.figures],
        "levers": [asdict(lever) for lever in made.levers],
        "constants": [asdict(constant) for constant in made.constants],
    }
    show(planned(made), values if as_json else None)
