"""What is found does not depend on where vectors are: Milvus Lite, or a Milvus server."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ris_jobs import jobs
from ris_jobs.demo.folder import write
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan


def exported(settings: Settings, what: str) -> list[dict[str, Any]]:
    out = io.BytesIO()
    with open_engine(settings) as engine:
        assert jobs.export(engine, what, "jsonl", out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def matches(settings: Settings) -> tuple[list[dict[str, Any]], list[tuple[float, float]]]:
    """Every match, less what its run is called; and its cosine and probability, in which it shows
    in what order float32 numbers were added."""
    rows = exported(settings, "matches")
    rows.sort(key=lambda row: (row["derived_uri"], row["source_uri"]))
    figures = [(row.pop("cosine"), row.pop("probability")) for row in rows]
    left = [{k: v for k, v in row.items() if k not in ("run_id", "evidence")} for row in rows]
    return left, figures


def families(settings: Settings) -> list[tuple[str | None, list[str]]]:
    rows = exported(settings, "families")
    return sorted(((r["source_uri"], sorted(r["members"])) for r in rows), key=str)


@pytest.fixture
def on_server(settings: Settings, other_database_url: str, milvus_uri: str) -> Settings:
    return replace(
        settings,
        home=settings.home.with_name("server"),
        database_url=other_database_url,
        milvus_uri=milvus_uri,
    )


@pytest.mark.slow(45)
def test_a_scan_finds_the_same_on_a_server(
    scan: Scan, settings: Settings, on_server: Settings, tmp_path: Path
) -> None:
    write(tmp_path / "demo")
    lite, server = (scan(tmp_path / "demo", settings=where) for where in (settings, on_server))
    (found, figures), (found_there, figures_there) = matches(settings), matches(on_server)
    assert found == found_there
    np.testing.assert_allclose(figures, figures_there, atol=1e-4)
    assert families(settings) == families(on_server)
    assert lite.matches == server.matches
    again = scan(tmp_path / "demo", settings=on_server)
    assert [count.new for count in again.matches.values() if count.new] == []
