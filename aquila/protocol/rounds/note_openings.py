"""The secrets with which one side of a hit opens and verifies the other side's note (PROTOCOL.md 3.7.5 and 3.7.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import starmap
from struct import Struct
from typing import NamedTuple

from aquila.crypto.keys import KEY_BYTES
from aquila.crypto.sealing import MARK_BYTES, NOTE_KEYS_BYTES, NoteKeys
from aquila.errors import KeyMaterialError
from aquila.octets import hexadecimal, parted, parted_by
from aquila.protocol.messages import Fault
from aquila.protocol.rounds.hit_batches import HIT_ID_BYTES

DIGEST_BYTES = 32
FAULTS = (None, *Fault)
_OPENING = Struct(f"{HIT_ID_BYTES}s{KEY_BYTES}s{KEY_BYTES}s{DIGEST_BYTES}s3B")


class NoteOpening(NamedTuple):
    """The data on a hit with which one side opens and verifies the other side's note. Secret: it never shows itself.

    Attributes:
        hit_id: Which hit, hexadecimal.
        keys: Of the note that is to come.
        rules: The rule of each token of the own record, in ascending order of the tokens.
        places: Which of these tokens met, as the matcher reported.
        marks: Of each token 5 bytes, as the other side's note has them where it holds the same.
        report_digest: Digest of what the matcher reported of the hit.
        fault: What is wrong with the report already.
    """

    hit_id: str
    keys: NoteKeys
    rules: bytes
    places: bytes
    marks: bytes
    report_digest: str
    fault: Fault | None

    def __repr__(self) -> str:
        return object.__repr__(self)

    @property
    def met(self) -> tuple[int, ...]:
        """The numbers of the rules that met, ascending."""
        return tuple(sorted({self.rules[place] for place in self.places}))

    def to_bytes(self) -> bytes:
        """Return it for a key to seal."""
        return b"".join(
            (
                bytes.fromhex(self.hit_id),
                self.keys.seal,
                self.keys.mark,
                bytes.fromhex(self.report_digest),
                bytes([FAULTS.index(self.fault), len(self.rules), len(self.places)]),
                self.rules,
                self.places,
                self.marks,
            )
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> NoteOpening:
        """Read back what `to_bytes` gave.

        Raises:
            KeyMaterialError: The bytes are none.
        """
        if len(content) < _OPENING.size:
            raise KeyMaterialError("note_opening_key_unreadable")
        hit_id, seal, mark, told, fault, rules, places = _OPENING.unpack_from(content)
        met = _OPENING.size + rules
        if len(content) != met + places + rules * MARK_BYTES or fault >= len(FAULTS):
            raise KeyMaterialError("note_opening_key_unreadable")
        return cls(
            hit_id.hex(),
            NoteKeys(seal, mark),
            content[_OPENING.size : met],
            content[met : met + places],
            content[met + places :],
            told.hex(),
            FAULTS[fault],
        )


@dataclass(frozen=True, slots=True, repr=False)
class NoteOpenings:
    """The note openings of some hits, as columns of bytes: compact, and fast to hand on. Secret as each of them.

    Attributes:
        ids: Of each hit 16 bytes.
        keys: `NOTE_KEYS_BYTES` of each.
        told: The digest of what the matcher reported, 32 bytes of each.
        faults: Of each the place of its fault in `FAULTS`.
        tokens: How many tokens each own record has.
        rules: The rules of these, a byte for each token.
        marks: Their marks.
        met: How many of them met.
        places: The places of those, a byte each.
    """

    ids: bytes
    keys: bytes
    told: bytes
    faults: bytes
    tokens: bytes
    rules: bytes
    marks: bytes
    met: bytes
    places: bytes

    @classmethod
    def of(cls, openings: Iterable[NoteOpening]) -> NoteOpenings:
        """Return openings as columns."""
        every = list(openings)
        return cls(
            bytes.fromhex("".join([one.hit_id for one in every])),
            b"".join([one.keys.seal + one.keys.mark for one in every]),
            bytes.fromhex("".join([one.report_digest for one in every])),
            bytes([FAULTS.index(one.fault) for one in every]),
            bytes([len(one.rules) for one in every]),
            b"".join([one.rules for one in every]),
            b"".join([one.marks for one in every]),
            bytes([len(one.places) for one in every]),
            b"".join([one.places for one in every]),
        )

    @classmethod
    def together(cls, parts: Sequence[NoteOpenings]) -> NoteOpenings:
        """Return the openings of some parts as those of one."""
        return cls(*(b"".join([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    def each(self) -> Iterator[NoteOpening]:
        """Yield one opening after the other."""
        columns = (
            hexadecimal(self.ids, HIT_ID_BYTES),
            map(NoteKeys.of, parted(self.keys, NOTE_KEYS_BYTES)),
            self.own_rules(),
            self.own_places(),
            self.own_marks(),
            hexadecimal(self.told, DIGEST_BYTES),
            [FAULTS[place] for place in self.faults],
        )
        return starmap(NoteOpening, zip(*columns, strict=True))

    def own_rules(self) -> list[bytes]:
        """Return of each own record the rules of its tokens."""
        return parted_by(self.rules, self.tokens)

    def own_marks(self) -> list[bytes]:
        """Return of each own record the marks of its tokens."""
        return parted_by(self.marks, self.tokens, MARK_BYTES)

    def own_places(self) -> list[bytes]:
        """Return of each own record the places of its tokens that met."""
        return parted_by(self.places, self.met)
