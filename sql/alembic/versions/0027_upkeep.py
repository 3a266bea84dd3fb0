"""Runs sql/migrations/0027_upkeep.sql."""

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"

SQL = Path(__file__).parents[2] / "migrations" / "0027_upkeep.sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SQL.read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("ris-jobs keeps its history: restore a backup instead of downgrading")
