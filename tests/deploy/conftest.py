from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def empty_airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for an Airflow that is only asked what it knows, with the providers of a cluster."""
    if importlib.util.find_spec("airflow.providers.celery") is None:
        pytest.skip("Airflow's providers are not installed: pip install -e '.[airflow,cluster]'")
    return tmp_path_factory.mktemp("empty-airflow")
