"""Runs sql/migrations/0025_families.sql."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"

SQL = Path(__file__).parents[2] / "migrations" / "0025_families.sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SQL.read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("ris-jobs keeps its history: restore a backup instead of downgrading")
