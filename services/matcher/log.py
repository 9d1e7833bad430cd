"""The matcher's log, the statements that its entries are about, and what parties learn of it (PROTOCOL.md 10).

A node knows what it signed, what it was told, and which rounds it was shown. It asks for the entries that name it and
that no statement of it proves (10.5.3), so that it hears of a second proposal, of hits that are not those of its
report, and of statements that it never signed. The published figures of a round that ended come from the matcher's own
tables (10.7); an auditor recomputes the same document from the log's entries alone.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.statistics import SAID, Statistics
from aquila.crypto.envelope import open_envelope
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.protocol.log_entries import REFUSED, WITHOUT_ENVELOPE, discloses_hits
from aquila.protocol.messages import Kind, Notes, StatementKind, Submission
from aquila.protocol.messages.feed import MOST_ENTRIES
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import LARGEST_STATEMENT
from aquila.records.rules import InputClass
from services.kit.home_folder import LOG_FOLDER
from services.kit.log.copies import Scope
from services.kit.log.entries import ENTRIES
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Witness
from services.kit.log_access.use_cases import LogUseCases
from services.kit.rounds import manifest_in
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.matcher.events import FIRST_PAGE, NOBODY, REPORT, SUBMISSION, log_places
from services.matcher.storage.tables import EventRow, EvidenceRow, HitCountRow, RefusedStatementRow, RoundRow

_KINDS = frozenset({EntryKind.PROPOSAL, EntryKind.MATCH, EntryKind.REPORT, EntryKind.DISCLOSURE, *REFUSED})
_LOOKED_THROUGH = 5_000


def entries_naming(
    undisclosed: Callable[[Session], Mapping[str, frozenset[ReportKey]]],
    session: Session,
    caller: str,
    start: int,
    size: int,
) -> tuple[dict[int, bytes], int]:
    """Return the contents of the entries that name a party, by index, and up to which index these are all.

    What tells the hits of a query is left out until its asker has its report (PROTOCOL.md 10.9). While that may still
    come, all is told up to there; of a round that has ended it never comes.

    Args:
        undisclosed: Gives the reports of queries of which nothing may be told, by round.
        size: How many entries the checkpoint covers.
    """
    end = min(size, start + _LOOKED_THROUGH)
    rows = select(ENTRIES.c.index, ENTRIES.c.content).where(
        ENTRIES.c.index >= start,
        ENTRIES.c.index < end,
        ENTRIES.c.kind.in_(sorted(_KINDS)),
        ENTRIES.c.content.is_not(None),
    )
    found: dict[int, bytes] = {}
    whole = end
    untold: Mapping[str, frozenset[ReportKey]] | None = None
    for index, content in session.execute(rows.order_by(ENTRIES.c.index)):
        entry = read_entry(bytes(content))
        if not _names(session, entry, caller):
            continue
        if len(found) == MOST_ENTRIES:
            return found, min(whole, index)
        if "submission" in entry.ids:
            untold = undisclosed(session) if untold is None else untold
            if discloses_hits(entry, untold.get(entry.round or "", ())):
                over = select(RoundRow.ended_at).where(RoundRow.round_id == entry.round)
                whole = min(whole, index) if session.scalar(over) is None else whole
                continue
        found[index] = bytes(content)
    return found, whole


def _names(session: Session, entry: Entry, caller: str) -> bool:
    """Return whether an entry names a party: as one of its pair, as sender or receiver, or as one of the round."""
    if entry.kind is not EntryKind.PROPOSAL:
        return caller in {entry.party, entry.recipient, entry.ids.get("left"), entry.ids.get("right")}
    manifest = session.scalar(select(RoundRow.manifest).where(RoundRow.round_id == entry.round))
    return manifest is not None and manifest_in(manifest).fingerprint_of(caller) is not None


_SAID = {kind.value: what for kind, what in SAID.items()}


def round_statistics(registry: Registry, session: Session, round_id: str) -> bytes | None:
    """Return the statistics of a round that ended, as they are published; None for any other."""
    row = session.get(RoundRow, round_id)
    if row is None or row.ended_at is None:
        return None
    found = Statistics(round_id, row.created_at, row.ended_at, row.phase)
    said = select(EventRow.party, EventRow.statement, func.count()).where(
        EventRow.round_id == round_id, EventRow.statement.is_not(None), or_(EventRow.statement != REPORT, FIRST_PAGE)
    )
    for party, statement, count in session.execute(said.group_by(EventRow.party, EventRow.statement)):
        if statement == StatementKind.HIT_REPORT:
            found.count(party, "reports", count)
        elif statement in _SAID:
            found.count(party, _SAID[statement], count)
    _count_submissions(session, registry, round_id, found)
    for hits in session.scalars(select(HitCountRow).where(HitCountRow.round_id == round_id)):
        of = "query" if hits.submission_id else "lists"
        found.hit(hits.left, hits.right, of, hits.certainty, hits.hits)
    return found.to_bytes()


def _submission(event: EventRow, keys: Mapping[str, VerifyKey]) -> Submission:
    """Return a submission as its party signed it, or what stayed of it when its justification was erased."""
    content = (event.envelope or "").encode()
    if event.audience != NOBODY:
        content = open_envelope(content, [Submission.payload_type], keys, limit=LARGEST_STATEMENT).payload
    return Submission.from_payload(content)


def _count_submissions(session: Session, registry: Registry, round_id: str, found: Statistics) -> None:
    """Count what was submitted, as the parties signed it."""
    keys = {fingerprint: key for fingerprint, (_, key) in registry.by_fingerprint().items()}
    for event in session.scalars(
        select(EventRow).where(EventRow.round_id == round_id, EventRow.statement == SUBMISSION)
    ):
        said = _submission(event, keys)
        found.count(said.party, "queries" if said.kind is Kind.QUERY else "lists")
        found.count(said.party, "records", said.records)
        for input_class in InputClass:
            found.count(said.party, input_class.value, said.elements.of(input_class))
        found.count(said.party, "chunks", len(said.chunks))


_AT_ONCE = 500


def open_log(
    home: Path, store: Store, identity: SigningKey, registry: Registry, clock: Callable[[], int]
) -> LogUseCases:
    """Put the matcher's log together, with nothing running yet; raises StoreError if the folder cannot be made."""
    files = ChunkFiles(home / LOG_FOLDER)
    statistics = partial(round_statistics, registry)
    naming = partial(entries_naming, undisclosed_reports)
    own = OwnLog(store, files, MATCHER, identity, registry, clock, statements_of, statistics, log_places, naming)
    return LogUseCases(own, Witness(store, files, MATCHER, identity, registry, clock), scope_of)


def scope_of(session: Session, party: str | None) -> Scope:
    """Return the scope of a copy of the log: for a party the rounds that name it, without entries under embargo."""
    named = None
    if party is not None:
        rows = session.execute(select(RoundRow.round_id, RoundRow.manifest))
        named = frozenset(round_id for round_id, manifest in rows if manifest_in(manifest).fingerprint_of(party))
    return Scope(undisclosed_reports(session), named)


def undisclosed_reports(session: Session) -> dict[str, frozenset[ReportKey]]:
    """Return by round the reports of queries whose owners have theirs, and that the askers lack."""
    told = select(EventRow.round_id, EventRow.party, EventRow.counterpart, EventRow.submission_id).where(
        EventRow.statement == REPORT, EventRow.submission_id.is_not(None)
    )
    found: dict[str, set[ReportKey]] = {}
    for round_id, party, counterpart, query in session.execute(told):
        found.setdefault(round_id, set()).add(ReportKey(party, counterpart or "", query))
    # An owner is told before the asker.
    return {round_id: frozenset({one.other_side for one in of} - of) for round_id, of in found.items()}


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
    """Return whether the log's files may hold a statement: sealed notes are for their receiver alone."""
    return envelope is None or f'"payloadType":"{Notes.payload_type}"' not in envelope


def _is_kept(entry: Entry) -> bool:
    return "statement" in entry.digests and entry.kind not in WITHOUT_ENVELOPE
