"""Runs sql/migrations/0024_no_copies.sql."""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"

SQL = Path(__file__).parents[2] / "migrations" / "0024_no_copies.sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SQL.read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("ris-jobs keeps its history: restore a backup instead of downgrading")
