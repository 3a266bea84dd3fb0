"""docs/dags.md, written from the DAG files: ``python -m ris_jobs.dag_docs dags docs/dags.md``."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

_HEAD = """# DAGs

Written from the files in [dags](../dags), by `python -m ris_jobs.dag_docs dags docs/dags.md`. Times
are UTC. How they are run is in [architecture.md](architecture.md#airflow).
"""


def page(dags: Mapping[str, Any]) -> str:
    """Markdown of these DAGs, as Airflow loaded them, by id."""
    lines = [_HEAD]
    for name in sorted(dags):
        lines += _dag(dags[name])
    return "\n".join(lines)


def load(folder: Path) -> dict[str, Any]:
    """The DAGs of the folder by id, loaded by an Airflow without a database.

    Raises RuntimeError for a file that cannot be loaded.
    """
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        from airflow.dag_processing.dagbag import BundleDagBag

        folder = folder.resolve()
        bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
    if bag.import_errors:
        raise RuntimeError(f"a DAG file cannot be loaded: {bag.import_errors}")
    return dict(bag.dags)


def _dag(dag: Any) -> Iterator[str]:
    yield f"## {dag.dag_id}\n\n{dag.doc_md.strip()}\n"
    yield f"- **When:** {_schedule(dag.schedule)}"
    owners = sorted({task.owner for task in dag.tasks})
    yield f"- **Owner:** {', '.join(owners)}; **tags:** {', '.join(sorted(dag.tags))}"
    yield f"- **Runs at a time:** {dag.max_active_runs}\n"
    if len(dag.params):
        yield from _table(("parameter", "default", "values", "meaning"), _params(dag.params))
    yield from _table(("task", "after", "tries", "at most"), map(_task, dag.topological_sort()))


def _schedule(schedule: Any) -> str:
    if schedule is None:
        return "by hand"
    if isinstance(schedule, list):
        return "after an event of " + ", ".join(f"`{asset.name}`" for asset in schedule)
    return f"`{schedule.expression}`"


def _params(params: Any) -> Iterator[tuple[str, ...]]:
    for name in params:
        param = params.get_param(name)
        default = "–" if param.value is None else f"`{param.value}`"
        yield f"`{name}`", default, _values(param.schema), param.description


def _values(schema: Mapping[str, Any]) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    said = [" or ".join(kind for kind in kinds if kind != "null")]
    if "items" in schema:
        said.append(f"of {schema['items']['type']}")
    if "minimum" in schema:
        said.append(f"from {schema['minimum']}")
    if "maximum" in schema:
        said.append(f"to {schema['maximum']}")
    return " ".join(said)


def _task(task: Any) -> tuple[str, ...]:
    after = ", ".join(f"`{name}`" for name in sorted(task.upstream_task_ids)) or "–"
    return f"`{task.task_id}`", after, str(task.retries + 1), _duration(task.execution_timeout)


def _duration(time: timedelta) -> str:
    return f"{time.days} days" if time.days else f"{time.seconds // 3600} h"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page(load(Path(sys.argv[1]))), encoding="utf-8")
