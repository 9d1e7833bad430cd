"""Entries of a service's own log and what shows them: tree, signed statements, checkpoints and cosignatures.

Whoever reads the log in a page sees what a stranger would find: each entry's place in the tree is proved again, and
its statement verified. The whole log can be checked as it is stored. What only a comparison with other logs shows is
for `aquila audit verify` (PROTOCOL.md 10.6).
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import Note, cosigned_at, open_checkpoint, parse_checkpoint, parse_note
from aquila.audit.entries import Entry, read_entry
from aquila.audit.merkle import Frontier, prove_inclusion, verify_inclusion
from aquila.audit.proven_entry import ProvenEntry
from aquila.errors import AquilaError, AuditError, LogRewrittenError
from aquila.interface.log import CosignatureView, EntrySearch, EntrySignature, LogCheck, NumberedEntry
from aquila.protocol.log_entries import REFUSED, refused_entry, statement_entry
from aquila.protocol.messages import Statement
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.verified_round import read_statement
from services.kit.log.entries import (
    CHECKPOINTS,
    NEWEST_NOTE,
    StoredEntry,
    TileReader,
    entries_between,
    entries_down,
    forged_from,
    size,
)
from services.kit.log.publication import OwnLog

_AT_ONCE = 500
LOOKED_AT = 500
"""Checkpoints, from the newest down, among which cosignatures are looked for."""


def checked(session: Session, own: OwnLog, rows: Sequence[StoredEntry]) -> tuple[tuple[NumberedEntry, ...], list[int]]:
    """Return entries to be shown with what shows them, and the indices of those that are not what the log's tree holds.

    An entry that was changed in the database differs from its leaf or from what its row repeats of it, or its leaf from
    the tree whose head is signed.
    Entries that no checkpoint covers yet are held against their leaf alone. What cannot be read has no content here.
    """
    size, root = _signed(session, own)
    read = TileReader(session)
    found: list[tuple[int, Entry | None]] = []
    broken = []
    for row in rows:
        entry = None
        try:
            if row.content is not None:
                entry = read_entry(row.content)
            if entry and not row.is_of(entry):
                broken.append(row.index)
            elif row.index < size:
                verify_inclusion(row.leaf, row.index, size, root, prove_inclusion(row.index, size, read))
        except AuditError:
            broken.append(row.index)
        found.append((row.index, entry))
    signatures = iter(signatures_of(session, own, [entry for _, entry in found if entry]))
    shown = [
        NumberedEntry(index=index, entry=entry, signature=next(signatures)[0] if entry else EntrySignature.OWNER)
        for index, entry in found
    ]
    return tuple(shown), broken


def signatures_of(
    session: Session, own: OwnLog, entries: Sequence[Entry]
) -> Iterator[tuple[EntrySignature, bytes | None]]:
    """Yield for each entry what shows it, and the envelope of its statement where it is kept."""
    for entry, envelope in zip(entries, own.statements(session, entries), strict=True):
        if "statement" not in entry.digests:
            yield EntrySignature.OWNER, None
        elif not envelope:
            yield EntrySignature.NOT_KEPT, None
        else:
            is_true = _says(own.registry, entry, envelope)
            yield EntrySignature.VERIFIED if is_true else EntrySignature.WRONG, envelope


def _says(registry: Registry, entry: Entry, envelope: bytes) -> bool:
    """Return whether a statement is signed by its party and says what the entry says (PROTOCOL.md 10.6, check 7)."""
    try:
        said = read_statement(registry, envelope)
        made = statement_entry(said.message, said.digest, entry.time)
        if entry.kind in REFUSED and isinstance(said.message, Statement):
            made = refused_entry(said.message, said.digest, entry.time, entry.kind)
    except AquilaError:
        return False
    signer = entry.recipient if entry.kind in REFUSED else entry.party
    return made.salted(entry.salt) == entry and said.signer == signer


def _signed(session: Session, own: OwnLog) -> tuple[int, bytes]:
    """Return size and head of the newest checkpoint; one that this service did not sign does not count."""
    note = session.scalar(NEWEST_NOTE)
    if note is None:
        return 0, b""
    checkpoint, _ = open_checkpoint(bytes(note), own.origin, *own.keys)
    return checkpoint.size, checkpoint.root


_LOOKED_THROUGH = 10_000
"""Entries that a search for what no column has looks through at once."""


def matching(session: Session, wanted: EntrySearch) -> tuple[list[StoredEntry], int | None]:
    """Return the entries that a search finds, and from which index it goes on, if it does."""
    if not (wanted.party or wanted.role or wanted.text):
        rows = entries_down(session, wanted.below, wanted.limit + 1, wanted)
        return rows[: wanted.limit], rows[wanted.limit - 1].index if len(rows) > wanted.limit else None
    found: list[StoredEntry] = []
    below = wanted.below
    for _ in range(_LOOKED_THROUGH // _AT_ONCE):
        rows = entries_down(session, below, _AT_ONCE, wanted)
        for row in rows:
            if len(found) == wanted.limit:
                return found, found[-1].index
            if row.content is not None and _has(row.content, wanted):
                found.append(row)
        if len(rows) < _AT_ONCE:
            return found, None
        below = rows[-1].index
    return found, below


def _has(content: bytes, wanted: EntrySearch) -> bool:
    """Return whether an entry has the party, the role and the text that are wanted; one that cannot be read has all."""
    try:
        entry = read_entry(content)
    except AuditError:
        return True
    reason = entry.reason.model_dump().values() if entry.reason else ()
    texts = [str(value).casefold() for value in (*reason, *entry.ids.values(), entry.person, entry.round) if value]
    if wanted.text and not any(wanted.text.casefold() in text for text in texts):
        return False
    concerned = {entry.party, entry.recipient, entry.ids.get("left"), entry.ids.get("right")}
    return (not wanted.party or wanted.party in concerned) and (wanted.role is None or wanted.role.value == entry.role)


def proof_of(session: Session, index: int, entry: Entry) -> bytes:
    """Return the file that proves an entry, or nothing while no checkpoint covers it."""
    note = session.scalar(NEWEST_NOTE)
    signed = parse_note(bytes(note)) if note else None
    covered = parse_checkpoint(signed.text).size if signed else 0
    if signed is None or index >= covered:
        return b""
    return ProvenEntry(index, entry, tuple(prove_inclusion(index, covered, TileReader(session))), signed).to_bytes()


_STATEMENTS = 5_000
"""Entries, from the newest down, of which a check verifies the statements."""

_NAMED = 50


def stored_log_check(session: Session, own: OwnLog) -> LogCheck:
    """Check a log's rows: leaves and tree, contents, checkpoints, cosignatures, and the newest statements.

    What no checkpoint covers yet is checked by its seals; what the log's own files have shown must still be there.
    """
    total = size(session)
    query = select(CHECKPOINTS.c.size, CHECKPOINTS.c.note).order_by(CHECKPOINTS.c.size)
    notes = {int(at): bytes(note) for at, note in session.execute(query)}
    tree, said = Frontier(), Counter[EntrySignature]()
    broken, bad = list[int](), list[int]()
    contents, statements_from = 0, max(0, total - _STATEMENTS)
    for first in range(0, total, _AT_ONCE):
        rows = entries_between(session, first, min(first + _AT_ONCE, total))
        read = {row.index: entry for row in rows if (entry := row.unchanged())}
        late = {index: entry for index, entry in read.items() if index >= statements_from}
        for index, (signature, _) in zip(late, signatures_of(session, own, [*late.values()]), strict=True):
            said[signature] += 1
            broken += [index] if signature is EntrySignature.WRONG else []
        for row in rows:
            contents += row.content is not None
            broken += [row.index] if row.content is not None and row.index not in read else []
            tree.append(row.leaf)
            if tree.size in notes and not _is_signed(own, notes[tree.size], tree):
                bad.append(tree.size)
    # Rows that are missing leave the tree short of its checkpoints.
    bad += [at for at in notes if at > tree.size]
    covered = max(notes.keys() - set(bad), default=0)
    broken += forged_from(session, max(notes, default=0))
    newest = readable_notes(note for _, note in sorted(notes.items(), reverse=True)[:LOOKED_AT])
    return LogCheck(
        checked_at=own.clock(),
        size=covered,
        newer=total - covered,
        contents=contents,
        checkpoints=len(notes),
        statements=said[EntrySignature.VERIFIED],
        not_kept=said[EntrySignature.NOT_KEPT],
        statements_from=statements_from,
        witnesses=tuple(cosigned(own, list(newest))),
        broken=tuple(sorted(set(broken))[:_NAMED]),
        bad_checkpoints=tuple(bad[:_NAMED]),
        differs_from_files=_differs(own),
        keys={holder: own.registry.key_of(holder).fingerprint for holder in (MATCHER, *sorted(own.registry.parties))},
    )


def _differs(own: OwnLog) -> bool:
    """Return whether the database lacks what the log's own files have shown, or these cannot be read."""
    try:
        own.check()
    except (AuditError, LogRewrittenError):
        return True
    return False


def readable_notes(notes: Iterable[bytes]) -> Iterator[Note]:
    """Yield the checkpoints that can be read; a check of the log names the others."""
    for note in notes:
        with contextlib.suppress(AuditError):
            read = parse_note(note)
            parse_checkpoint(read.text)
            yield read


def _is_signed(own: OwnLog, note: bytes, tree: Frontier) -> bool:
    """Return whether a checkpoint is signed by the log and is the head of the tree so far."""
    try:
        checkpoint, _ = open_checkpoint(note, own.origin, *own.keys)
    except AuditError:
        return False
    return (checkpoint.size, checkpoint.root) == (tree.size, tree.root)


def cosigned(own: OwnLog, notes: Sequence[Note], witnesses: Iterable[str] | None = None) -> Iterator[CosignatureView]:
    """Yield for each witness, or for each of some, the first of these checkpoints that it cosigned."""
    registry = own.registry
    for holder in registry.witnesses(own.holder) if witnesses is None else witnesses:
        name, keys = registry.witness_of(holder), registry.keys_of(holder)
        for note in notes:
            at = None
            with contextlib.suppress(AuditError):  # it cosigned another text
                at = cosigned_at(note, name, *keys)
            if at is not None:
                yield CosignatureView(witness=holder, size=parse_checkpoint(note.text).size, at=at)
                break
