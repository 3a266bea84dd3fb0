"""docs/scale.md says what the formulas say."""

from __future__ import annotations

import re
from pathlib import Path

from ris_jobs.indexes import KINDS
from ris_jobs.planning import Ask, constants, plan
from ris_jobs.planning.index_size import in_memory, on_disk

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "scale.md").read_text("utf-8")


def test_the_table_of_indexes_is_that_of_the_formulas() -> None:
    rows = dict(re.findall(r"^\| `(?!RIS)(\w+)` \| ([^|]+? \| \d+) \|", TEXT, re.M))
    assert rows.keys() == KINDS.keys()
    for kind, said in rows.items():
        of_100_million = f"{100e6 * in_memory(kind, 256) / 1e9:.0f} GB"
        disk = on_disk(kind, 256)
        of_100_million += f", and {disk / 10:.0f} GB of NVMe" if disk else ""
        made = plan(Ask(images=100_000_000, per_night=2_000_000, index=kind))
        assert said == f"{of_100_million} | {made['query nodes']}"


def test_one_machine_holds_as_many_as_it_says() -> None:
    for millions, kind in re.findall(r"(\d+) million(?: images)? under\s+`(\w+)`", TEXT):
        made = plan(Ask(images=int(millions) * 10**6, per_night=0, index=kind))
        assert made["query nodes"] == 1, kind


def test_what_the_text_says_of_vectors_is_what_is_counted_with() -> None:
    boxes = constants()["boxes"].value
    assert f"on average {boxes} boxes, and its hash, {7 + boxes:.1f} in" in TEXT
    assert f"take {constants()['key_bytes'].value / 10} GB more" in TEXT
