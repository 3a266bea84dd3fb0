"""Runs sql/migrations/0007_history.sql and 0007_analysts.sql."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0005"

SQL = Path(__file__).parents[2] / "migrations"


def upgrade() -> None:
    for name in ("0007_history.sql", "0007_analysts.sql"):
        op.get_bind().exec_driver_sql((SQL / name).read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("ris-jobs keeps its history: restore a backup instead of downgrading")
