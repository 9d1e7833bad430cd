"""Hits that can be sealed, one by one: what the exchange has as columns, so that a test can change a single one."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from aquila.crypto.sealing import MARK_BYTES, NOTE_KEYS_BYTES, NoteKeys
from aquila.octets import parted, parted_by
from aquila.protocol.messages import Fault, Hit, HitReport, Note
from aquila.protocol.rounds import exchange
from aquila.protocol.rounds.exchange import PreparedNotes
from aquila.protocol.rounds.hit_columns import NoteOpening, NoteOpenings, TokensByRecord, hit_batches
from aquila.protocol.rounds.round_state import RoundState
from aquila.protocol.submissions.submission import HANDLE_BYTES
from aquila.records.rules import RuleTable


class PreparedNote(NamedTuple):
    """A hit that can be sealed: the hit, the keys of the own note with its marks, and what opens the other's."""

    hit: Hit
    keys: NoteKeys
    marks: bytes
    opening: NoteOpening

    def __repr__(self) -> str:
        return object.__repr__(self)


class HeldTokens(NamedTuple):
    """The tokens of one own record, as `HeldColumns` has those of several."""

    rules: bytes
    tokens: bytes
    secrets: bytes

    def __repr__(self) -> str:
        return object.__repr__(self)


def by_record(held: TokensByRecord) -> dict[bytes, HeldTokens]:
    return dict(zip(parted(held.handles, HANDLE_BYTES), map(HeldTokens, *held.columns_of(held.handles)), strict=True))


def prepare_each(
    round_: RoundState, table: RuleTable, report: HitReport, held: TokensByRecord, random: Callable[[int], bytes]
) -> list[PreparedNote]:
    """Prepare all hits of a report, in the order of the batches."""
    found: list[PreparedNote] = []
    for batch in hit_batches([report], max(1, len(report.hits))):
        made = exchange.prepare(exchange.signed_sizes(round_, report), table, report, batch.hits, held, random)
        keys = map(NoteKeys.of, parted(made.keys, NOTE_KEYS_BYTES))
        marks = parted_by(made.marks, made.openings.tokens, MARK_BYTES)
        found += map(PreparedNote, batch.hits.hits(), keys, marks, made.openings.each())
    return found


def seal_each(notes: Iterable[tuple[PreparedNote, Note]], marks: int, random: Callable[[int], bytes]) -> list[bytes]:
    """Seal the notes of some hits as entries of a batch."""
    prepared, told = zip(*notes, strict=True)
    made = PreparedNotes(
        b"".join([one.keys.seal + one.keys.mark for one in prepared]),
        b"".join([one.marks for one in prepared]),
        NoteOpenings.of(one.opening._replace(rules=bytes(len(one.marks) // MARK_BYTES)) for one in prepared),
    )
    return exchange.seal_entries(made, [note.model_dump_json().encode() for note in told], marks, random)


def verify_each(
    openings: Iterable[NoteOpening], verified: Iterable[str], entries: Iterable[tuple[str, bytes]]
) -> dict[str, Note | Fault]:
    return exchange.verify_batch(NoteOpenings.of(openings), set(verified), entries)
