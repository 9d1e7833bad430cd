"""A party sends 65,535 wrong evaluations with the proof that RFC 9497's weights accept."""

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from aquila.crypto.backend import load_group
from aquila.crypto.shares import Share, new_share
from aquila.errors import ProofError
from aquila.protocol.messages import ChunkReference, Evaluation, Kind
from aquila.records.rules import InputClass
from aquila.simulation import REHEARSED
from tests.support.staged_round import StagedRound, verified

COUNT = 65_535
FILE = Path(__file__).parents[1] / "vectors" / "forged_dleq_batch.bin"


def test_the_origin_refuses_it(tmp_path: Path) -> None:
    content, cuts = FILE.read_bytes(), [0, 32, 64, 128, 128 + 32 * COUNT, 128 + 64 * COUNT]
    public, secret, proof, inputs, outputs = (content[start:end] for start, end in pairwise(cuts))
    stage = StagedRound(load_group(), tmp_path, chunk_elements=COUNT)
    # 1. RS consents with the vector's share for the class full; the others are honest.
    share = Share.from_bytes(stage.group, secret)
    assert share.public_key == public
    for code, node in stage.nodes.items():
        if code == "RS":
            stage.publish(stage.consent_with(code, share, new_share(stage.group, stage.random)))
        else:
            stage.publish(node.party.consent(node.round, 1, (), stage.random)[1])
    stage.publish(stage.matcher.open(stage.round, stage.now))
    # 2. SI submits the vector's inputs, and RS answers with the vector's outputs and proof.
    node = stage.nodes["SI"]
    digest = hashlib.sha256(inputs).hexdigest()
    chunk = ChunkReference(input_class=InputClass.FULL, elements=COUNT, digest=digest)
    stage.publish(node.party.submit(node.round, 2, "a" * 32, Kind.LIST, REHEARSED, 1, [chunk]))
    fields = {
        "origin": "SI",
        "submission_id": "a" * 32,
        "index": 0,
        "input_class": InputClass.FULL,
        "elements": COUNT,
        "input_digest": digest,
        "output_digest": hashlib.sha256(outputs).hexdigest(),
    }
    forged = stage.statement("RS", Evaluation, sequence=2, proof=proof.hex(), **fields)
    stage.publish(stage.signed("RS", forged))
    # 3. Digests and elements are all right, and the proof is not.
    with pytest.raises(ProofError):
        verified(node.party, node.round, forged, inputs, outputs)
