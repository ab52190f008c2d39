"""What a study says of its data set beside the name: rb_data.settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_v0.1.0"
down_revision = "0002_v0.1.0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rb_data", sa.Column("settings", sa.Text(), nullable=True))
