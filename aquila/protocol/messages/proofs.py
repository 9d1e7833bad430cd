"""A party's request for proofs of the matcher's log, and the answer (PROTOCOL.md 10.5)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aquila.audit.entries import LARGEST_ENTRY
from aquila.protocol.messages.base import Count, Digest, Identifier, Message, Positive, Seconds

MOST_HEADS = 200
MOST_STATEMENTS = 500
MOST_ENTRIES = 200
_MOST_HASHES = 64

Hashes = Annotated[tuple[Digest, ...], Field(max_length=_MOST_HASHES)]


class ProofRequest(Message):
    """The proofs that are requested of a log.

    Attributes:
        old: How many entries it had when the caller saw it last.
        heads: Sizes at which others saw it: that it only grew since is to be proved for each.
        statements: Digests of statements that it must hold: that it does is to be proved for each.
        entries_from: From which entry on those are wanted that name the caller; None for none of them.
    """

    old: Count
    heads: Annotated[tuple[Positive, ...], Field(max_length=MOST_HEADS)]
    statements: Annotated[tuple[Digest, ...], Field(max_length=MOST_STATEMENTS)]
    entries_from: Count | None


class HeadProof(Message):
    """That a log only grew since it had `size` entries, up to the checkpoint of the same answer."""

    size: Positive
    hashes: Hashes


class StatementProof(Message):
    """That a log holds the entry of a statement, under the checkpoint of the same answer.

    Whoever has the statement makes its entry from time and salt (PROTOCOL.md 10.2), and the leaf from that.
    """

    digest: Digest
    index: Count
    time: Seconds
    salt: Identifier | None
    hashes: Hashes


class EntryProof(Message):
    """An entry that names the caller, and that the log holds it under the checkpoint of the same answer."""

    index: Count
    content: Annotated[str, Field(max_length=LARGEST_ENTRY)]
    hashes: Hashes


class Proofs(Message):
    """A log's newest checkpoint with the proof since `old` (the body of C2SP tlog-witness), and proofs up to it.

    A size that the checkpoint does not reach has no proof; nor has a statement that the log does not hold, or that is
    not for the caller's eyes. `entries` are those that name the caller, before the index `entries_to`.
    """

    update: Annotated[str, Field(max_length=1 << 17)]
    heads: Annotated[tuple[HeadProof, ...], Field(max_length=MOST_HEADS)]
    statements: Annotated[tuple[StatementProof, ...], Field(max_length=MOST_STATEMENTS)]
    entries: Annotated[tuple[EntryProof, ...], Field(max_length=MOST_ENTRIES)]
    entries_to: Count | None
