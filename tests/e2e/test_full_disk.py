"""The disk of two parties and the secretariat fills up in the middle of a round, and they follow the runbook."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.cli.exit_codes import ExitCode
from tests.support import manual
from tests.support.commanded_parties import CommandedParties, expected_hits
from tests.support.loaded_program import LOADED
from tests.support.process_world import World
from tests.support.small_disks import fill, small_disk

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

RUNBOOK = "The disk is full"


@pytest.fixture
def parties(tmp_path: Path, files: dict[str, Path]) -> Iterator[CommandedParties]:
    """Two parties and the secretariat, whose homes and backups are on the small disk."""
    names = {"AL": "Albania", "MK": "North Macedonia"}
    lists = {code: files[code] for code in names}
    with small_disk(tmp_path / "world", "1200m") as folder:
        stage = World(folder, program=LOADED, frugal=True, poll_seconds=1)
        made = CommandedParties(tmp_path, stage, names, lists, expected_hits(lists, tmp_path, LOADED))
        try:
            made.set_up()
            yield made
        finally:
            stage.stop()


def test_a_round_goes_on_when_there_is_room_again(parties: CommandedParties) -> None:
    administrator, backups = parties.admin("AL"), parties.admin("AL").folder
    starts = {one.name: one.starts for one in parties.stage.services.values()}
    doctor = manual.command(RUNBOOK, "aquila doctor")
    round_id = parties.begin()
    old = [backups / f"node-{year}.aquila" for year in (2024, 2025)]
    old[0].write_bytes(bytes(1 << 20))
    with pytest.raises(OSError, match="No space left"):
        fill(old[1])
    officer = parties.people["AL"].first
    importing = manual.command("Set up", "aquila call import_records")
    refused = officer.give(importing, ends_with=[ExitCode.MACHINE], NAME="list", FILE="list.csv")
    assert "no room is left on the disk" in refused
    # 1. How much is free, and what takes it.
    found = administrator.document(doctor, ends_with=[ExitCode.REFUSED])
    assert [one["subject"] for one in found["findings"] if one["grade"] == "critical"] == ["disk"]
    taken = administrator.give(manual.command(RUNBOOK, "du -sh"), **{"HOME/*": f"{administrator.process.home}/*"})
    assert str(backups) in taken
    # 2. Old backups go, and everything goes on.
    for backup in old:
        backup.unlink()
    administrator.document(doctor)
    parties.submit(round_id)
    assert {one.name: one.starts for one in parties.stage.services.values()} == starts
