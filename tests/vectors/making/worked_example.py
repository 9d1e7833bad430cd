"""The page `schemas/EXAMPLE.md`: a statement byte by byte, from its members to the checkpoint of a log with its entry.

The statement is that of the vectors `message` and `envelope` of `framing.json`; all but Ed25519 and the entry's members
is made with `hashlib` and `base64` (`tests.vectors.making.definition`).
"""

import base64
import hashlib
import textwrap

from aquila.crypto.keys import IdentityKey
from aquila.protocol.encoding import canonical
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import Refusal
from tests.vectors.making import definition, framing, log

PAGE = "EXAMPLE.md"
_SALT = bytes(range(16))
_PAGE = """\
# A statement byte by byte

Written by `make schemas`; the statement is that of the vectors `message` and `envelope` in
[framing.json](vectors/framing.json). Numbers in parentheses are paragraphs of [PROTOCOL.md](PROTOCOL.md).

## Members and payload (2.1)

A refusal of SI. It has neither `given_up` nor `log_head`, which a refusal may lack, and so no such member. Its RFC 8785
encoding, as text and as bytes, is the payload:

{payload_text}

{payload}

## What is signed, and the digest (2.1, 2.2)

DSSE's pre-authentication encoding: `DSSEv1`, the length of the payload type, that type, the length of the payload and
the payload, with blanks between. Its SHA-256 is the digest of the message.

{signed}

{digest}

## Signature and envelope (2.1, 2.4)

The seed of SI's identity key (RFC 8032), the public key, the SHA-256 of this, which is the fingerprint, and the
signature; then the envelope as it is sent and kept, in RFC 8785.

{seed}

{public}

{fingerprint}

{signature}

{envelope}

## Entry and leaf (10.1 to 10.3)

The matcher takes it at the second {time}. The entry is made by [log/forms.md](log/forms.md) with a given salt; the hash
of its leaf is the SHA-256 of a byte 00 and the entry.

{entry_text}

{entry}

{leaf}

## Checkpoint and cosignature (10.3.1, 10.5)

In a log that has this entry alone the head is the hash of the leaf. The seed of the matcher's key, and the checkpoint
that it signs and SI cosigns at the next second:

{matcher}

{checkpoint}
"""


def page() -> str:
    payload = canonical(framing.refusal())
    signed = definition.pre_authentication(framing.KIND, payload)
    digest = hashlib.sha256(signed).digest()
    envelope = framing.envelope(payload)
    [signature] = envelope["signatures"]
    made = statement_entry(Refusal.from_payload(payload), digest.hex(), log.NOW).salted(_SALT.hex())
    entry = made.content()
    leaf = definition.leaf_hash(entry)
    checkpoint = log.checkpoint("matcher", log.SEED, 1, leaf)
    return _PAGE.format(
        payload_text=_text(payload.decode()),
        payload=_octets(payload),
        signed=_octets(signed),
        digest=_octets(digest),
        seed=_octets(framing.SEED),
        public=_octets(bytes.fromhex(IdentityKey(framing.SEED).public.hex)),
        fingerprint=_octets(bytes.fromhex(signature["keyid"])),
        signature=_octets(base64.b64decode(signature["sig"])),
        envelope=_text(canonical(envelope).decode()),
        time=log.NOW,
        entry_text=_text(entry.decode()),
        entry=_octets(entry),
        leaf=_octets(leaf),
        matcher=_octets(log.SEED),
        checkpoint=_text(log.cosigned(checkpoint, "SI", framing.SEED, log.NOW + 1).rstrip("\n")),
    )


def _octets(octets: bytes) -> str:
    return _text(textwrap.fill(octets.hex(), 128))


def _text(text: str) -> str:
    return f"```text\n{text}\n```"
