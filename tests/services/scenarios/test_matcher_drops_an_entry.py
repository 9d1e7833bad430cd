"""The matcher takes a statement and keeps it out of its log: the round does not hold together, and where is named."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.registry import read_registry
from services.matcher import round_memory
from services.node.logs import inclusion_promises
from tests.support.node_world import World

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


async def test_the_gap_is_found(world: World, group: Group, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One evaluation is never written down, and no node asks: an auditor hears which round cannot have been so."""
    honest, dropped = round_memory.append, list[str]()

    def dropping(session: Session, entry: Entry) -> int:
        if entry.kind == "evaluation" and not dropped:
            dropped.append(entry.digests["statement"])
            return -1
        return honest(session, entry)

    monkeypatch.setattr(round_memory, "append", dropping)  # the liar's own program, not ours
    for asking in ("expect", "expect_announced"):  # whoever asks finds it at once (tests/attacks)
        monkeypatch.setattr(inclusion_promises, asking, lambda *_: None)
    await world.begin()
    await world.settle()
    assert dropped
    archive = await world.operator.get("/v1/operator/log/export")
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        files = {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]  # files alone are in it
    registry = read_registry((tmp_path / "matcher" / "registry.toml").read_bytes())
    record = read_log(files.get, registry)  # the tree itself is whole: the entry was never in it
    with pytest.raises(AuditError, match="does not allow it: tokens before 1 evaluations"):
        audit_rounds(record, files.get, registry, group)
