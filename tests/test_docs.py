"""The docs name every command, setting, column and reason, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ris_jobs.cli import main
from ris_jobs.demo.folder import photos
from ris_jobs.errors import Reason
from ris_jobs.fingerprint.luma import luma
from ris_jobs.fingerprint.pdq import pdq
from ris_jobs.match import Relation, suppression
from ris_jobs.report import rows

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SUPPRESSION = (ROOT / "docs" / "suppression.md").read_text("utf-8")
EXPORT = (ROOT / "docs" / "export.md").read_text("utf-8")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(
        page
        for folder in ("docs", "benchmarks", "training")
        for page in (ROOT / folder).rglob("*.md")
    ),
]


def test_the_readme_names_every_command() -> None:
    assert set(main.commands) - set(re.findall(r"ris ([\w-]+)", README)) == set()


@pytest.mark.parametrize("columns", ["MATCH", "IMAGE", "FAMILY", "QUARANTINE", "HIT", "RUN"])
def test_every_exported_column_is_described(columns: str) -> None:
    named = set(re.findall(r"`(\w+)`", EXPORT))
    assert set(getattr(rows, f"{columns}_COLUMNS")) - named == set()


def test_the_known_hash_of_the_readme_is_that_of_a_demo_photo() -> None:
    (known,) = re.findall(r"^echo ([0-9a-f]{64}),coffee > known.csv$", README, re.MULTILINE)
    assert pdq(luma(np.asarray(dict(photos())["coffee"])))[0].hex() == known


def test_every_relation_and_reason_is_described() -> None:
    named = set(re.findall(r"`([\w-]+)`", EXPORT))
    assert {str(v) for v in (*Relation, *Reason)} - named == set()


def test_every_reason_to_suppress_a_pair_is_described() -> None:
    named = set(re.findall(r"^\| `([\w-]+)` \|", SUPPRESSION, re.MULTILINE))
    views = ("0006_template_match", "0024_no_copies")
    view = "".join((ROOT / f"sql/migrations/{name}.sql").read_text("utf-8") for name in views)
    judged = {v for name, v in vars(suppression).items() if name.isupper() and isinstance(v, str)}
    assert named == judged | set(re.findall(r"THEN '([\w-]+)'", view))


def test_the_probabilities_below_which_pairs_are_look_alikes_are_those_described() -> None:
    limits = map(float, re.findall(r"below (0\.\d+)", SUPPRESSION))
    drawn, bare = ({"common": 1.0, "plain": plain} for plain in (0.5, 1.0))
    for features, limit in zip((drawn, bare, {"common": 0.0, "filled": 0.9}), limits, strict=True):
        assert suppression.look_alike(features, limit - 1e-6)
        assert not suppression.look_alike(features, limit)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
