"""What the DAG files share: defaults of their tasks, and the asset that ties them."""

from datetime import timedelta

from airflow.sdk import Asset

OBSERVED = Asset(name="ris_observed", uri="ris://observed")

DEFAULT_ARGS = {
    "owner": "ris-jobs",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=6),
}
