"""A round whose reports came in pages: its log is audited, and so are its published numbers."""

from functools import partial

import pytest

from aquila.audit.entries import EntryKind
from aquila.crypto.group import Group
from aquila.protocol import matcher as roles
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.registry import read_registry
from clients.sdk.bundles import open_bundle
from services.kit.home_folder import LOG_FOLDER
from services.matcher.steps import join
from tests.support.node_steps import alike_before_matching
from tests.support.played_worlds import WorldAfter


@pytest.mark.more_rounds
async def test_a_report_in_pages(world_after: WorldAfter, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hits of all pages count together, the receipt names the last one, statistics count one report of a pair."""
    monkeypatch.setattr(join, "make_reports", partial(roles.make_reports, most_hits=1))
    world, round_id = await world_after(alike_before_matching)
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
    files = open_bundle(str(world.path / "matcher" / LOG_FOLDER))
    registry = read_registry((world.path / "matcher" / "registry.toml").read_bytes())
    record = read_log(files, registry)
    (audited,) = audit_rounds(record, files, registry, group)
    pages = [entry.counts for entry in record.entries if entry is not None and entry.kind is EntryKind.REPORT]
    assert sorted((counts["page"], counts["pages"]) for counts in pages) == [
        (page, 3) for page in range(3) for _ in range(6)
    ]
    assert {counts.total() for counts in audited.reported.values()} == {3}
    assert {party["reports"] for party in audited.statistics.parties.values()} == {2}
