"""The example note of golang.org/x/mod/sumdb/note, which C2SP signed-note took over."""

import base64

from aquila.audit.checkpoint import ED25519, key_id, parse_note
from aquila.crypto.keys import VerifyKey

VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_note_verifies() -> None:
    """Key id, text and signature are those of the published example."""
    name, shown_id, encoded = VERIFIER.split("+", 2)
    algorithm, *octets = base64.b64decode(encoded)
    note = parse_note(NOTE.encode())
    assert algorithm == ED25519
    assert key_id(name, algorithm, bytes(octets)).hex() == shown_id
    signature = note.by_key(name, bytes.fromhex(shown_id))
    assert signature is not None
    VerifyKey(bytes(octets)).verify(signature.signature, note.text.encode())
    assert note.to_bytes() == NOTE.encode()
