"""Named SQL: ``sql/queries/<file>.sql`` holds queries, each under a ``-- name: <name>`` line."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def sql_dir() -> Path:
    """The folder ``sql``: inside an installed package, else at the top of the checkout."""
    installed = Path(__file__).parents[1] / "_sql"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "sql"


@cache
def _file(name: str) -> dict[str, TextClause]:
    parts = _NAME.split((sql_dir() / "queries" / f"{name}.sql").read_text("utf-8"))
    return {title: text(body) for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def query(name: str) -> TextClause:
    """The query ``"file.name"``; KeyError when there is none."""
    file, _, title = name.partition(".")
    return _file(file)[title]
