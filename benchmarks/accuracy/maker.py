"""Making the files that a plan lists, in two processes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from random import Random

from PIL import Image, ImageOps
from tqdm import tqdm

from benchmarks.accuracy import negatives
from benchmarks.accuracy.edits import VARIANTS, Edited, Props, Variant, apply
from benchmarks.accuracy.edits.encoding import web
from benchmarks.accuracy.negatives import SAME_SCENE, SCENE_VIEWS
from benchmarks.accuracy.plan import Copied, Drawn, Job, Plan, Shown, View, Whole, Window
from benchmarks.accuracy.truth import Row

Numbered = tuple[int, Job]
Made = tuple[Row, bytes, str]
"""The truth (but for the file's name), the file's bytes, the ending of its name."""


def write(plan: Plan, folder: Path, seed: int) -> list[Row]:
    """Every file of the plan; returns their rows, in the order of the jobs."""
    maker = _Maker(folder, tuple(plan.hosts), seed)
    rows: dict[int, Row] = {}
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        tqdm(total=len(plan.jobs), desc="suite", unit="file", disable=None) as bar,
    ):
        for made in pool.map(maker, _tasks(plan.jobs)):
            rows |= made
            bar.update(len(made))
    return _linked([rows[number] for number in range(len(rows))])


def _tasks(jobs: Sequence[Job]) -> list[list[Numbered]]:
    """Jobs of one photo together: it is decoded once."""
    numbered = sorted(enumerate(jobs), key=lambda item: _photo(item[1]))
    return [list(task) for _, task in groupby(numbered, lambda item: _photo(item[1]))]


def _photo(job: Job) -> str:
    return "" if isinstance(job, Drawn) else job.photo.name


def _linked(rows: list[Row]) -> list[Row]:
    """Copies get the number of their source's row."""
    sources = {row.photo: number for number, row in enumerate(rows) if row.kind == "source"}
    return [replace(r, source=sources[r.photo]) if r.kind == "copy" else r for r in rows]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Writes some of the files; is sent to the processes of the pool."""

    folder: Path
    hosts: tuple[Path, ...]
    seed: int

    def __call__(self, task: Sequence[Numbered]) -> dict[int, Row]:
        return {number: self._file(number, job) for number, job in task}

    def _file(self, number: int, job: Job) -> Row:
        row, data, suffix = self._made(job)
        row = replace(row, file=f"images/{number:06}{suffix}")
        (self.folder / row.file).write_bytes(data)
        return row

    def _made(self, job: Job) -> Made:
        match job:
            case Whole(kind, photo):
                return Row("", kind, photo.name), photo.read_bytes(), photo.suffix.lower()
            case Copied(kind, photo, variant):
                return self._copy(kind, photo, VARIANTS[variant])
            case _:
                return negative(job, self.seed)

    def _copy(self, kind: str, photo: Path, variant: Variant) -> Made:
        rng = Random(f"{self.seed} {photo.name} {variant.name}")
        made = apply(variant, _opened(photo), Props(rng, _hosts(self.hosts)))
        return _row(kind, photo.name, variant, made), made.data, made.suffix


def negative(job: Window | View | Shown | Drawn, seed: int) -> Made:
    """A picture that looks like others; its row has no file yet."""
    match job:
        case Window(photo, side):
            rng = Random(f"{seed} {photo.name}")
            image = negatives.windows(_opened(photo), rng)[side]
            return _negative(image, Row("", "negative", photo.name, group=SAME_SCENE), rng)
        case View(photo, side):
            image = negatives.view(_opened(photo), Random(f"{seed} {photo.name}"), side)
            row = Row("", "negative", photo.name, group=SCENE_VIEWS)
            return _negative(image, row, Random(f"{seed} {photo.name} {side}"))
        case Shown(group, number, photo):
            image = negatives.show(group, number, seed, _opened(photo))
            series = {"series": negatives.SHOWING[group].of(number)}
            row = Row("", "negative", photo.name, group=group, parameters=series)
            return _negative(image, row, Random(f"{seed} {group} {number}"))
        case Drawn(group, number):
            image = negatives.make(group, number, seed)
            series = {"series": negatives.GROUPS[group].of(number)}
            row = Row("", "negative", group=group, parameters=series)
            return _negative(image, row, Random(f"{seed} {group} {number}"))


def _negative(image: Image.Image, row: Row, rng: Random) -> Made:
    data, suffix, drawn = web(image, rng)
    return replace(row, parameters={**row.parameters, **drawn}), data, suffix


def _row(kind: str, photo: str, variant: Variant, made: Edited) -> Row:
    picture = made.picture
    return Row(
        file="",
        kind=kind,
        photo=photo,
        edit=variant.name,
        family=variant.family,
        strength=variant.strength,
        parameters=made.parameters,
        trained=variant.trained,
        relation=picture.relation,
        box=picture.box,
        orientation=picture.orientation,
        scale=picture.scale,
    )


def upright(path: Path) -> Image.Image:
    """The photo as it is meant to be seen, RGB."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


_opened = lru_cache(maxsize=1)(upright)


@lru_cache(maxsize=1)
def _hosts(paths: tuple[Path, ...]) -> tuple[Image.Image, ...]:
    return tuple(map(upright, paths))
