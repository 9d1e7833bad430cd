"""The matcher's log: put together, and the statements that its entries are about (PROTOCOL.md section 10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.keys import SigningKey
from aquila.protocol.log_entries import WITHOUT_ENVELOPE
from aquila.protocol.messages import Notes
from aquila.protocol.registry import MATCHER, Registry
from services.kit.home_folder import LOG_FOLDER
from services.kit.log.copies import Scope
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Witness
from services.kit.log_access.use_cases import LogUseCases
from services.kit.rounds import manifest_in
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.matcher.events import REPORT, SUBMISSION, WITHHELD_ANSWER, is_refused, log_places
from services.matcher.log.named_entries import entries_naming
from services.matcher.log.statistics import round_statistics
from services.matcher.storage.tables import EventRow, EvidenceRow, RefusedStatementRow, RoundRow

_AT_ONCE = 500


def open_log(
    home: Path, store: Store, identity: SigningKey, registry: Registry, clock: Callable[[], int]
) -> LogUseCases:
    """Put the matcher's log together; nothing runs yet.

    Raises:
        StoreError: The folder cannot be made.
    """
    files = ChunkFiles(home / LOG_FOLDER)
    statistics = partial(_statistics, registry)
    naming = partial(entries_naming, undisclosed_queries)
    own = OwnLog(store, files, MATCHER, identity, registry, clock, statements_of, statistics, log_places, naming)
    return LogUseCases(own, Witness(store, files, MATCHER, identity, registry, clock), scope_of)


def scope_of(session: Session, party: str | None) -> Scope:
    """Return the scope of a copy of the log: for a party the rounds that name it, without entries under embargo."""
    named = None
    if party is not None:
        rows = session.execute(select(RoundRow.round_id, RoundRow.manifest))
        named = frozenset(round_id for round_id, manifest in rows if manifest_in(manifest).fingerprint_of(party))
    return Scope(undisclosed_queries(session), named)


def undisclosed_queries(session: Session) -> dict[str, frozenset[str]]:
    """Return by round the queries that were matched, and some of whose hits their asker does not have.

    It has no report of its own, or an owner of a list refused its answer.
    """
    told = select(EventRow.round_id, EventRow.submission_id, EventRow.party).where(
        EventRow.statement == REPORT, EventRow.submission_id.is_not(None)
    )
    reported: dict[tuple[str, str], set[str]] = {}
    for round_id, query, party in session.execute(told):
        reported.setdefault((round_id, query or ""), set()).add(party)
    asked = select(EventRow.submission_id, EventRow.party).where(EventRow.statement == SUBMISSION)
    askers = dict(session.execute(asked).all()) if reported else {}
    refused = _refused_queries(session) if reported else set()
    untold: dict[str, frozenset[str]] = {}
    for (round_id, query), parties in reported.items():
        if askers.get(query) not in parties or query in refused:
            untold[round_id] = untold.get(round_id, frozenset()) | {query}
    return untold


def _refused_queries(session: Session) -> set[str]:
    """Return the queries an answer to which was refused."""
    said = select(EventRow.submission_id, EventRow.envelope).where(EventRow.statement == WITHHELD_ANSWER)
    return {query or "" for query, envelope in session.execute(said) if is_refused(envelope or "")}


def statements_of(session: Session, entries: Sequence[Entry]) -> list[bytes | None]:
    """Return the envelopes of the statements that entries are about.

    Reports and notes are not among them: they hold handles or are sealed, and go when their parties have them.
    """
    digests = [entry.digests["statement"] for entry in entries if _is_kept(entry)]
    found: dict[str, bytes] = {}
    for digest, envelope in (
        (EvidenceRow.digest, EvidenceRow.refused),
        (RefusedStatementRow.digest, RefusedStatementRow.envelope),
        (EventRow.digest, EventRow.envelope),
    ):
        for first in range(0, len(digests), _AT_ONCE):
            query = select(digest, envelope).where(digest.in_(digests[first : first + _AT_ONCE]))
            found |= {name or "": (text or "").encode() for name, text in session.execute(query) if _is_shown(text)}
    proposed = [entry for entry in entries if entry.kind is EntryKind.PROPOSAL]
    rounds = select(RoundRow.round_id, RoundRow.manifest).where(RoundRow.round_id.in_([e.round for e in proposed]))
    manifests = dict(session.execute(rounds).all()) if proposed else {}
    found |= {entry.digests["statement"]: manifests.get(entry.round or "", b"") for entry in proposed}
    return [found.get(entry.digests["statement"]) if _is_kept(entry) else None for entry in entries]


def _is_shown(envelope: str | None) -> bool:
    """Return whether the log's files may hold a statement: sealed notes are nobody's but their receiver's."""
    return envelope is None or f'"payloadType":"{Notes.payload_type}"' not in envelope


def _is_kept(entry: Entry) -> bool:
    return "statement" in entry.digests and entry.kind not in WITHOUT_ENVELOPE


def _statistics(registry: Registry, session: Session, round_id: str) -> bytes | None:
    return round_statistics(session, registry, round_id)
