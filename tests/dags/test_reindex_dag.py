"""The DAGs that change the model and keep the stores in order, on a real Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.dag_docs import page
from ris_jobs.progress import LogProgress
from ris_jobs.report.churn import Churn
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.dags.conftest import DAGS
from tests.dags.test_dags import environment, folder, nights, states

__all__ = ["environment", "folder", "nights"]


def test_the_page_of_all_dags_is_what_the_files_say(dagbag: Any) -> None:
    written = (DAGS.parent / "docs" / "dags.md").read_text("utf-8")
    assert written == page(dagbag.dags), "python -m ris_jobs.dag_docs dags docs/dags.md"


def ended(well: list[str], skipped: list[str]) -> dict[str, str]:
    return {f"{t}[-1]": "success" for t in well} | {f"{t}[-1]": "skipped" for t in skipped}


def test_a_model_is_filled_bit_by_bit_and_serves_in_the_end(
    nights: dict[str, Any], environment: Settings, folder: Path
) -> None:
    jobs.scan(environment, [folder], LogProgress())
    asked = {"regions": "0+0", "limit": 1, "switch": False}
    run = nights["ris_reindex"].test(run_conf=asked)
    # As long as anything is left to fill, nothing is looked at, and nothing switched.
    assert states(run) == ended(["start", "fill"], ["report", "asked", "switch"])
    page = environment.home / "reports" / "churn.html"
    assert not page.exists()
    run = nights["ris_reindex"].test(run_conf=asked | {"switch": True})
    assert states(run) == ended(["start", "fill"], ["report", "asked", "switch"])
    assert jobs.reindex_status(environment).serves == "builtin-2 5+10"
    run = nights["ris_reindex"].test(run_conf=asked | {"limit": None})
    assert states(run) == ended(["start", "fill", "report", "asked"], ["switch"])
    assert "in place of builtin-2 5+10</title>" in page.read_text("utf-8")
    run = nights["ris_reindex"].test(run_conf=asked | {"limit": None, "switch": True})
    assert set(states(run).values()) == {"success"}
    assert jobs.reindex_status(environment).serves == "builtin-2 0+0"
    assert set(states(nights["ris_upkeep"].test()).values()) == {"success"}
    # Nights go on with the model that serves now.
    assert set(states(nights["ris_provenance_scan"].test()).values()) == {"success"}
    with open_engine(environment) as engine, engine.connect() as db:
        models = "SELECT model FROM ris.last_run, ris.match GROUP BY model"
        assert db.scalars(text(models)).all() == ["builtin-2"]


def test_a_switch_that_an_earlier_try_made_is_no_failure(
    nights: dict[str, Any],
    environment: Settings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs.scan(environment, [folder], LogProgress())
    look = jobs.churn_report

    def made(settings: Settings, page: Path | None) -> Churn:
        found = look(settings, page)
        jobs.switch(settings, None, "airflow")
        return found

    monkeypatch.setattr(jobs, "churn_report", made)
    run = nights["ris_reindex"].test(run_conf={"regions": "0+0", "switch": True})
    assert set(states(run).values()) == {"success"}
    assert jobs.reindex_status(environment).serves == "builtin-2 0+0"


@pytest.mark.parametrize(
    "wrong", [{"regions": "9+9"}, {"limit": 0}, {"pause": -1}, {"switch": "yes"}, {"model": ""}]
)
def test_parameters_that_cannot_be_are_refused(
    nights: dict[str, Any], wrong: dict[str, object]
) -> None:
    with pytest.raises(Exception, match=next(iter(wrong))):
        nights["ris_reindex"].test(run_conf=wrong)
