"""RFC 9497, Appendix A.1: OPRF and VOPRF with ristretto255-SHA512, bit for bit."""

import json
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest

from aquila.crypto import dleq, oprf
from aquila.crypto.group import Group
from aquila.crypto.hashing import prefixed
from aquila.crypto.shares import Share
from aquila.errors import ProofError
from tests.support.rfc9497 import rfc_weights

SUITES = json.loads(Path(__file__).with_name("rfc9497_ristretto255_sha512.json").read_text(encoding="utf-8"))["suites"]
MODES = {"OPRF": oprf.MODE_OPRF, "VOPRF": oprf.MODE_VOPRF}
CASES = [
    pytest.param(suite, case, id=f"{suite['mode']}-{number}")
    for suite in SUITES
    for number, case in enumerate(suite["cases"], 1)
]
PROVED = [case for case in CASES if "proof" in case.values[1]]


def joined(texts: list[str]) -> bytes:
    """Decode a list of hexadecimal values into one batch."""
    return bytes.fromhex("".join(texts))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite["mode"])
def test_domain_separation_tag(suite: dict[str, Any]) -> None:
    """The tag of HashToGroup is the RFC's in both modes."""
    assert b"HashToGroup-" + oprf.context_string(MODES[suite["mode"]]) == bytes.fromhex(suite["group_dst"])


def test_public_key(group: Group) -> None:
    """The public key of the VOPRF's secret key is the RFC's."""
    for suite in SUITES:
        share = Share.from_bytes(group, bytes.fromhex(suite["secret_key"]))
        assert suite["public_key"] in (None, share.public_key.hex())


@pytest.mark.parametrize(("suite", "case"), CASES)
def test_blind_evaluate_finalize(group: Group, suite: dict[str, Any], case: dict[str, Any]) -> None:
    """Blinded elements, evaluated elements and outputs are the RFC's, which blinds by multiplying."""
    share = Share.from_bytes(group, bytes.fromhex(suite["secret_key"]))
    rows = zip(
        *(case[name] for name in ("inputs", "blinds", "blinded_elements", "evaluated_elements", "outputs")), strict=True
    )
    # The inputs of one case differ in width, so each is a batch of its own.
    for source, scalar, blinded, evaluated, output in (map(bytes.fromhex, row) for row in rows):
        element = oprf.hash_inputs(group, source, len(source), MODES[suite["mode"]])
        assert group.multiply(element, scalar) == blinded
        assert oprf.evaluate(group, blinded, share) == evaluated
        ours = oprf.evaluate(group, oprf.blind(group, source, len(source), scalar, MODES[suite["mode"]]), share)
        unblinded = oprf.unblind(group, ours, share.public_key, scalar)
        assert sha512(prefixed(source) + prefixed(unblinded) + b"Finalize").digest() == output


@pytest.mark.parametrize(("suite", "case"), PROVED)
def test_proof(group: Group, suite: dict[str, Any], case: dict[str, Any]) -> None:
    """With the RFC's weights and random scalar, the proof is the RFC's, and it verifies."""
    share = Share.from_bytes(group, bytes.fromhex(suite["secret_key"]))
    inputs, outputs = joined(case["blinded_elements"]), joined(case["evaluated_elements"])
    weights = rfc_weights(share.public_key, inputs, outputs)
    nonce = bytes.fromhex(case["proof"]["random_scalar"])
    proof = dleq.prove(group, share, inputs, outputs, weights, nonce)
    assert proof.hex() == case["proof"]["proof"]
    dleq.verify(group, share.public_key, inputs, outputs, weights, proof)


@pytest.mark.parametrize(("suite", "case"), PROVED)
def test_rfc_proof_under_weights_in_use(group: Group, suite: dict[str, Any], case: dict[str, Any]) -> None:
    with pytest.raises(ProofError):
        dleq.verify_chunk(
            group,
            bytes.fromhex(suite["public_key"]),
            b"",
            joined(case["blinded_elements"]),
            joined(case["evaluated_elements"]),
            bytes.fromhex(case["proof"]["proof"]),
        )
