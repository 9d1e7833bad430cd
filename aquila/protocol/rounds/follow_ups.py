"""What a party tells a counterpart of their lists' hits after the notes (PROTOCOL.md 3.11.6).

A follow-up has, for each hit that its sender holds, the state of the sender's follow-up, and for each third party that
both may be compared with, whether the sender's record met a record of that party under the same inputs. Its size
follows from the number of hits and of third parties.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from struct import Struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from aquila.crypto.keys import KEY_BYTES, SecretBytes
from aquila.crypto.sealing import NONCE_BYTES, TAG_BYTES
from aquila.errors import MalformedError, SealError
from aquila.followup.lifecycle import FollowUpState
from aquila.protocol.encoding import framed
from aquila.protocol.messages import FollowUp
from aquila.protocol.rounds.round_state import RoundState

PURPOSE = "follow-up"
"""The purpose of the pair's key that seals follow-ups (PROTOCOL.md 3.3.8)."""

MOST_FOLLOWED = 4_096
"""Hits of one part of a follow-up at most."""

_HIT = Struct(">16sB")
_THIRD = Struct(">Q12s")
_REFERENCE = re.compile(r"[0-9A-Z]{12}")


_STATES = tuple(FollowUpState)


class MetRules(NamedTuple):
    """The rules of an own record's tokens in a hit, as masks."""

    met: int
    """Those of tokens that met."""
    whole: int
    """The rules under which all tokens of the own record met."""

    @classmethod
    def of(cls, rules: bytes, places: bytes) -> "MetRules":
        """Return them from the rules of the record's tokens, a byte each, and the places of those that met."""
        met = [rules[place] for place in places]
        whole = {rule for rule in met if met.count(rule) == rules.count(rule)}
        return cls(sum(1 << rule - 1 for rule in set(met)), sum(1 << rule - 1 for rule in whole))

    def common(self, other: "MetRules") -> int:
        """Return the rules under which both hits of one own record surely met on one input.

        Where all tokens of a rule met in one of the two hits, those that met in the other are among them.
        """
        return self.met & other.met & (self.whole | other.whole)


class ThirdParty(NamedTuple):
    """What the sender has with a third party on the record of a hit: not more than this hit's receiver is told of."""

    rules: int
    """The mask of the rules under which both met on one input."""
    reference: str
    """The sender's number of its hit with the third party."""


class FollowedHit(NamedTuple):
    """A hit as a follow-up has it."""

    hit_id: str
    state: FollowUpState
    third: Mapping[str, ThirdParty]
    """By third party, in order; of those with which there is nothing, none."""


def third_parties(round_: RoundState, left: str, right: str) -> tuple[str, ...]:
    """Return the participants with which both of two parties may be compared, in their order."""
    return tuple(sorted(set(round_.counterparts_of(left)) & set(round_.counterparts_of(right))))


def hits_of_part(hits: int, part: int) -> int:
    """Return how many of a report's hits a part of a follow-up has room for; 0 where there is no such part."""
    return max(0, min(MOST_FOLLOWED, hits - part * MOST_FOLLOWED))


def sealed_length(hits: int, third: int) -> int:
    """Return how many characters of base64 a sealed part has, by its numbers of hits and third parties."""
    octets = NONCE_BYTES + hits * (_HIT.size + third * _THIRD.size) + TAG_BYTES
    return len(b"abcd") * -(-octets // len(b"abc"))


def write_part(hits: Sequence[FollowedHit], size: int, third: Sequence[str]) -> bytes:
    """Return the plaintext of a part, which has room for `size` hits.

    Args:
        hits: The hits that the sender holds, at most `size`.
        size: How many hits the part has of those of the report; of the others it has zeros.
        third: `third_parties` of the two.
    """
    entries = []
    for hit in hits:
        lines = [hit.third.get(party, ThirdParty(0, "")) for party in third]
        packed = (_THIRD.pack(one.rules, one.reference[3:].replace("-", "").encode()) for one in lines)
        entries.append(_HIT.pack(bytes.fromhex(hit.hit_id), 1 + _STATES.index(hit.state)) + b"".join(packed))
    return b"".join(entries).ljust(size * (_HIT.size + len(third) * _THIRD.size), b"\x00")


def read_part(content: bytes, sender: str, third: Sequence[str]) -> list[FollowedHit]:
    """Return the hits of a part.

    Raises:
        MalformedError: It has another size or an unknown state, or a reference is none.
    """
    width = _HIT.size + len(third) * _THIRD.size
    found = []
    for start in range(0, len(content), width):
        entry = content[start : start + width]
        if not any(entry):
            continue
        if len(entry) != width or not 0 < entry[_HIT.size - 1] <= len(_STATES):
            raise MalformedError("follow_up_unreadable", party=sender)
        hit_id, state = _HIT.unpack_from(entry)
        lines = {}
        for party, (rules, letters) in zip(third, _THIRD.iter_unpack(entry[_HIT.size :]), strict=True):
            if rules:
                lines[party] = ThirdParty(rules, _reference(sender, letters))
        found.append(FollowedHit(hit_id.hex(), _STATES[state - 1], lines))
    return found


def _reference(sender: str, letters: bytes) -> str:
    text = letters.decode("latin-1")
    if not _REFERENCE.fullmatch(text):
        raise MalformedError("follow_up_unreadable", party=sender)
    return "-".join((sender, text[:4], text[4:8], text[8:]))


def seal_part(key: SecretBytes, binding: str, ways: tuple[str, str], part: int, content: bytes, nonce: bytes) -> bytes:
    """Seal a part of a follow-up.

    Args:
        key: The key of the pair for `PURPOSE`.
        binding: The round's, hexadecimal.
        ways: From whom it is, and for whom.
        part: Which part it is.
        content: What `write_part` gave.
        nonce: 12 fresh random bytes.
    """
    with key.reveal() as octets:
        return nonce + AESGCMSIV(octets[:KEY_BYTES]).encrypt(nonce, content, _context(binding, ways, part))


def open_part(key: SecretBytes, message: FollowUp) -> bytes:
    """Return the plaintext of a part.

    Args:
        key: The key of the pair for `PURPOSE`.
        message: The statement, which the record has taken.

    Raises:
        SealError: It was sealed with another key, for another part, pair or round, or changed.
    """
    context = _context(message.binding, (message.party, message.to), message.part)
    with key.reveal() as octets:
        try:
            sealed = base64.b64decode(message.sealed, validate=True)
            return AESGCMSIV(octets[:KEY_BYTES]).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SealError("follow_up_not_opened", party=message.party) from None


def _context(binding: str, ways: tuple[str, str], part: int) -> bytes:
    parties = (party.encode() for party in ways)
    return framed("aquila/2 follow-up", bytes.fromhex(binding), *parties, part.to_bytes(4, "big"))
