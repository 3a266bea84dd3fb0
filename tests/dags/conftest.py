"""Airflow's metadata database; tests/conftest.py says where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="session")
def airflow_database() -> None:
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def dagbag(airflow_database: None) -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(bundle_path=DAGS, bundle_name="dags-folder")
