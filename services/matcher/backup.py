"""Backup and restore of the matcher, and what a restored matcher may still do (ADR 58)."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.crypto.keys import SealingKey
from aquila.errors import RestoredBackupError
from aquila.protocol.messages import Outcome
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ENDED_PHASES
from aquila.sentences import Sentence
from aquila.sentences.sentence import dumps
from services.kit.administration.backup.make import BackupSummary, back_up
from services.kit.administration.backup.restore import BackupCheck, Source, check, restoring
from services.kit.http.signatures import now as system_time
from services.matcher.administration import registry
from services.matcher.context import open_context
from services.matcher.events import NOBODY
from services.matcher.main import BACKED, prepare
from services.matcher.settings import MatcherSettings
from services.matcher.storage.tables import EventRow, RoundRow

RESTORED_EVENT = "restored"
"""The kind of the event behind which a restored matcher goes on; no party sees it."""

_SKIPPED_EVENTS = 1 << 32


@dataclass(frozen=True, slots=True)
class RestoredMatcher:
    """A matcher that was restored, and what follows."""

    checked: BackupCheck
    missing: tuple[str, ...]
    """Files that its settings name and that are not there."""
    aborted: int
    """Open rounds that it aborts when it starts."""
    registry: int
    """The number of the registry in force; 0 where none was stated."""
    taken: int
    """How many newer registries came with a party's file."""


def back_up_matcher(home: Path, public: bytes, out: Path, clock: Callable[[], int] = system_time) -> BackupSummary:
    """Back the matcher up; arguments and errors are those of `back_up`."""
    return back_up(BACKED, home, MATCHER, public, out, clock)


def check_matcher(file: Path, key: SealingKey) -> BackupCheck:
    """Verify a matcher's backup; raises as `check` does."""
    with file.open("rb") as source:
        return check(BACKED, source, key)


def restore_matcher(
    source: Source, home: Path, clock: Callable[[], int] = system_time, statements: str | None = None
) -> RestoredMatcher:
    """Restore the matcher into a new home. It witnesses no log before an administrator has acknowledged the alarm.

    Every open round is aborted when it starts: elements and tokens are in no backup, and parties have said things that
    the backup does not know.

    Args:
        statements: A party's file of statements on the registry, which may be newer than the backup.

    Raises:
        AquilaError: As `restoring`, and `registry.take_newer`.
    """
    with restoring(BACKED, source, home) as restored:
        settings = restored.settings
        assert isinstance(settings, MatcherSettings)
        prepare(settings)
        context = open_context(settings, clock)
        with contextlib.closing(context):
            before = registry.number_in_force(context)
            if statements is not None:
                registry.take_newer(context, statements)
            number = registry.number_in_force(context)
            newest = context.log.own.newest()
            aborted = 0

            def follow(session: Session) -> None:
                nonlocal aborted
                aborted = _abort_open(session)
                _skip_events(session)

            error = RestoredBackupError("service_restored_from_backup", what="shrunk")
            context.log.witness.report_contradiction(error, b"" if newest is None else newest.to_bytes(), follow)
    return RestoredMatcher(restored.checked, restored.missing, aborted, number, number - before)


def _abort_open(session: Session) -> int:
    """Have every open round aborted by the step that ends rounds; return how many there are."""
    rows = session.scalars(select(RoundRow).where(RoundRow.phase.not_in(ENDED_PHASES))).all()
    for row in rows:
        row.wish, row.reason = Outcome.ABORTED.value, dumps(Sentence.of("matcher_restored"))
    return len(rows)


def _skip_events(session: Session) -> None:
    """Leave a gap in the numbers of events: parties have seen later ones, and ask for those that follow."""
    newest = session.scalar(select(func.max(EventRow.event_id)))
    if newest is not None:
        round_id = session.scalar(select(EventRow.round_id).where(EventRow.event_id == newest))
        number = newest + _SKIPPED_EVENTS
        session.add(EventRow(event_id=number, round_id=round_id, kind=RESTORED_EVENT, party=MATCHER, audience=NOBODY))
