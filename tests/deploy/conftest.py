from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def empty_airflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for an Airflow that is only asked what it knows, with the providers of a cluster."""
    # It is not imported here: other tests must set its home first.
    try:
        metadata.version("apache-airflow-providers-celery")
    except metadata.PackageNotFoundError:
        pytest.skip("Airflow's providers are not installed: pip install -e '.[airflow,cluster]'")
    return tmp_path_factory.mktemp("empty-airflow")
