"""Runs sql/migrations/0023_moved.sql."""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"

SQL = Path(__file__).parents[2] / "migrations" / "0023_moved.sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SQL.read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("ris-jobs keeps its history: restore a backup instead of downgrading")
