"""Consents, the binding and proofs of knowledge."""

import json
from types import SimpleNamespace
from typing import cast

from aquila.crypto.envelope import digest_of_payload, payload_of
from aquila.crypto.keys import IdentityKey
from aquila.crypto.shares import verify_knowledge
from aquila.protocol.messages import ClassCounts, Consent, LogHead, Manifest
from aquila.protocol.party import Party
from aquila.protocol.rounds.rules import binding_of, knowledge_context
from aquila.protocol.rounds.verified_round import Round
from aquila.records.rules import InputClass
from tests.vectors.answers.given import GROUP, Given, Operation, raw


def consent(given: Given) -> Given:
    """Let a party consent that draws what the vector says, in the order in which the product draws it."""
    drawn, payload = given["drawn"], given["manifest"].encode()
    waiting = [*drawn["shares"].values(), drawn["lock"], drawn["sealing"], *drawn["proofs"].values()]

    def draw(size: int) -> bytes:
        found = raw(waiting.pop(0))
        assert len(found) == size
        return found

    manifest, digest = Manifest.from_payload(payload), digest_of_payload(Manifest.payload_type, payload)
    record = SimpleNamespace(round_id=manifest.round_id, manifest=manifest, manifest_digest=digest)
    head = LogHead(**given["log_head"])
    party = Party(given["party"], IdentityKey(raw(given["identity"])), GROUP, lambda: head)
    terms = cast("Round", record), given["sequence"], (), draw, ClassCounts(**given["elements"])
    secrets, envelope = party.consent(*terms)
    assert not waiting
    said = payload_of(envelope, Consent.payload_type)
    shares = json.loads(said)["shares"]
    keys = [*(one["public_key"] for one in shares), json.loads(said)["sealing_key"]]
    return {
        "shares": {kind.value: share.to_bytes().hex() for kind, share in secrets.shares.items()},
        "public_keys": {one["input_class"]: one["public_key"] for one in shares},
        "sealing_key": secrets.sealing.public.hex(),
        "contexts": {
            kind.value: knowledge_context(digest, given["party"], kind, keys).hex() for kind in InputClass
        },
        "proofs": {one["input_class"]: one["proof"] for one in shares},
        "payload": said.decode(),
        "envelope": envelope.decode(),
    }  # fmt: skip


OPERATIONS: dict[str, Operation] = {
    "consent": consent,
    "binding": lambda given: binding_of(given["manifest_digest"], list(given["consents"].items())),
    "verify_knowledge": lambda given: verify_knowledge(
        GROUP, *(raw(given[name]) for name in ("public_key", "context", "proof"))
    ),
}
