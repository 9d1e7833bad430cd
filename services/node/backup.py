"""Backup and restore of a node, and what a restored node may still do (PROTOCOL.md 3.2.4, ADR 58)."""

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from aquila.crypto.keys import SealingKey
from aquila.errors import InputError, PolicyError, RestoredBackupError
from aquila.records.rules import InputClass
from services.kit.administration.backup.make import BackupSummary, back_up
from services.kit.administration.backup.restore import BackupCheck, Source, check, restoring
from services.kit.errors import NotFoundError
from services.kit.http.signatures import now as system_time
from services.kit.storage.files import read_secret, write_secret
from services.node.context import NodeContext
from services.node.main import BACKED, assemble
from services.node.records.erasure import erase_found, find_record, overwrite_erased, record_digest
from services.node.settings import NodeSettings
from services.node.steps.verify_logs import alarm_over_own_log
from services.node.storage import high_water
from services.node.storage.high_water import RESTORED, Marks, read_marks
from services.node.storage.home import KEYS_FOLDER
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import DAY, ErasedRecordRow, RoundRow


@dataclass(frozen=True, slots=True)
class RestoredNode:
    """A node that was restored, and what follows."""

    checked: BackupCheck
    missing: tuple[str, ...]
    """Files that its settings name and that are not there."""
    refused: int
    """Open rounds in which it takes no further part."""
    counted_days: int
    """Days whose limits of evaluation count as used, because nobody knows what was evaluated on them."""
    erased: int
    """Records that were erased again."""
    not_found: int
    """How many identifiers of erased records no list has."""
    kept: int
    """How many records could not be erased yet, because a list with them was being prepared."""


def back_up_node(home: Path, public: bytes, out: Path, clock: Callable[[], int] = system_time) -> BackupSummary:
    """Back a node up; arguments and errors are those of `back_up`."""
    settings = BACKED.load(home)
    assert isinstance(settings, NodeSettings)
    return back_up(BACKED, home, settings.code, public, out, clock)


def check_node(file: Path, key: SealingKey) -> BackupCheck:
    """Verify a node's backup; raises as `check` does."""
    with file.open("rb") as source:
        return check(BACKED, source, key)


def restore_node(
    source: Source,
    home: Path,
    mark: Path | None = None,
    erased: Sequence[str] = (),
    clock: Callable[[], int] = system_time,
) -> RestoredNode:
    """Restore a node into a new home. It signs and sends nothing before an administrator has acknowledged the alarm.

    Every open round is refused for good: its keys are in no backup. Without the high-water mark of the lost machine
    nobody knows what was evaluated after the backup, so the limits of these days count as used.

    Args:
        mark: `keys/high-water.json` of the lost machine, if it can still be read.
        erased: Identifiers of records that were erased since the backup, which are erased again.
    """
    marks = None if mark is None else read_marks(read_secret(mark))
    if mark is not None and marks is None:
        raise InputError("restore_mark_unreadable", file=str(mark))
    with restoring(BACKED, source, home) as restored:
        settings = restored.settings
        assert isinstance(settings, NodeSettings)
        keys = settings.home / KEYS_FOLDER
        keys.mkdir(mode=0o700)
        write_secret(keys / high_water.FILE, (marks or Marks()).model_dump_json().encode())
        with contextlib.closing(assemble(settings, clock=clock)) as node:
            days = 0
            if marks is None:
                days = _count_days_as_used(node, restored.checked.head.created_at)
            alarm_over_own_log(node, RestoredBackupError(RESTORED))
            found, not_found, kept = _erase_again(node, erased)
            with node.store.reading("restore.refused") as session:
                refused = select(func.count()).where(
                    RoundRow.refused.is_not(None), RoundRow.state != LocalRoundState.DESTROYED
                )
                rounds = session.scalar(refused) or 0
    return RestoredNode(restored.checked, restored.missing, rounds, days, found, not_found, kept)


def _count_days_as_used(node: NodeContext, created_at: int) -> int:
    """Mark the limits of every day from the backup to today as used, for each other party; return how many days."""
    today, caps = node.clock() // DAY, node.settings.caps
    days = range(max(created_at // DAY, today - caps.window_days + 1), today + 1)
    others = [code for code in node.registry.parties if code != node.code]
    used = Counter({f"{code} {one.value}": caps.in_day(one) for code in others for one in InputClass})
    node.high_water.marks = Marks(days=dict.fromkeys(days, used))
    return len(days)


def _erase_again(node: NodeContext, erased: Sequence[str]) -> tuple[int, int, int]:
    """Erase records again; return how many were erased, were in no list, and could not be erased yet."""
    found = missing = kept = 0
    for record_id in erased:
        with node.store.transaction("restore.erase") as session:
            try:
                erase_found(session, node, find_record(session, record_id), {})
                found += 1
            except NotFoundError:
                missing += 1
            except PolicyError:
                kept += 1
            session.merge(ErasedRecordRow(record_digest=record_digest(record_id), erased_at=node.clock()))
    if found:
        overwrite_erased(node)
    return found, missing, kept
