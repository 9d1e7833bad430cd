"""Packages of migrations that a test makes, such as those of a release that is yet to come."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from services.node.main import PACKAGE

_NEXT = '''"""Say who made a list."""
import sqlalchemy as sa
from alembic import op
revision = "next"
down_revision = "{before}"
def upgrade():
    op.add_column("import", sa.Column("made_by", sa.Text(), nullable=True))
'''


def add_migration(package: str, name: str, content: str) -> None:
    """Write a script into a package."""
    (_folder(package) / f"{name}.py").write_text(content, encoding="utf-8")


def add_migrations_of_next_release(package: str) -> str:
    """Put the node's migrations and one more into a package, and return the revision of that one."""
    for path in sorted(_folder(PACKAGE).glob("[0-9]*.py")):
        shutil.copy(path, _folder(package))
        before = path.name[:4]
    add_migration(package, "next", _NEXT.format(before=before))
    return "next"


def _folder(package: str) -> Path:
    return Path(str(resources.files(f"{package}.migrations")))
